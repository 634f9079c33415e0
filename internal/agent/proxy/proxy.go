package proxy

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is the front door of one environment. All methods are safe for concurrent use.
type Proxy struct {
	domain string // lower case
	log    *slog.Logger
	start  time.Time
	probe  string // what the header of a probe says; nobody else knows it
	table  atomic.Pointer[table]

	buffers     buffers
	connections crowd       // of clients, but for those that became WebSockets
	spliced     crowd       // WebSockets
	leaving     atomic.Bool // Drain or Close has begun
	lackRoutes  atomic.Bool

	mu     sync.Mutex
	stacks map[string]*stack
	slots  map[string]*slot
	fronts []*front
}

// New returns the proxy of the environment that is reached by the domain and all names
// under it. It reaches nothing until [Proxy.PutStack] and [Proxy.SetTraffic], and nobody
// reaches it until [Proxy.Serve]. Stop it with Drain or Close.
func New(domain string, logger *slog.Logger) *Proxy {
	p := &Proxy{
		domain: strings.ToLower(domain),
		log:    logger,
		start:  time.Now(),
		probe:  rand.Text(),
		stacks: map[string]*stack{},
		slots:  map[string]*slot{},
	}
	p.table.Store(&table{})
	return p
}

// LackRoutes says whether there may be routes that the proxy was not told. What it knows no way
// for is then unavailable, not absent.
func (p *Proxy) LackRoutes(lack bool) { p.lackRoutes.Store(lack) }
