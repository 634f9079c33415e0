//go:build !windows

package platform

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/authority"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/scale"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// LeaseTTL is how long a slot's lease lasts without a heartbeat.
const LeaseTTL = 15 * time.Second

// Listeners hands out listening sockets that outlive this process.
type Listeners interface {
	// Listener returns the listener of a key, which listens on address from then on.
	Listener(ctx context.Context, key, address string) (net.Listener, error)
	// Unlisten closes it for good.
	Unlisten(ctx context.Context, key string) error
}

// Options are what a platform needs from its process.
type Options struct {
	// Dir is the data directory.
	Dir       string
	Listeners Listeners
	// Shim starts our own binary as the shim of package process.
	Shim   []string
	Logger *slog.Logger
	Clock  wait.Clock
}

// Platform is everything that runs on this machine. It is safe for concurrent use.
type Platform struct {
	dir       layout
	listeners Listeners
	shim      []string
	log       *slog.Logger
	clock     wait.Clock
	users     users
	ports     process.Ports
	records   records
	// find is process.Find.
	find func(process.Identity) (*process.Process, error)
	// patience is how long work waits for a database server of ours that is down.
	patience time.Duration
	loadOf   func(st *stack, component string) scale.Load // tests have loads of their own

	// mu guards what follows; environments have locks of their own.
	mu           sync.Mutex
	installation *installation
	authority    *authority.Authority
	regions      map[string]*target.RegionRecord
	environments map[target.EnvironmentID]*environment
	// bad are the records that could not be read, by the id of what they describe.
	bad map[string]error
	// ended says that the installation was removed with its last region.
	ended bool
	// looking is held while bad records are looked at again.
	looking sync.Mutex

	life  context.Context
	end   context.CancelFunc
	begun sync.WaitGroup
	// open ends as soon as nothing is recorded any more, before life does.
	open context.Context
	shut context.CancelCauseFunc
}

// installation is the identity of one data directory.
type installation struct {
	ID string `json:"id"`
	// Key makes the names of databases opaque and marks what is ours on their servers.
	Key       string    `json:"key"`
	CreatedAt time.Time `json:"created_at"`
}

// Open opens the platform of a data directory and brings back what ran there. It returns
// when every process that still runs was found and probed.
func Open(ctx context.Context, o Options) (*Platform, error) {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	users, err := findUsers()
	if err != nil {
		return nil, err
	}
	p := newPlatform(ctx, o, users)
	if err := p.load(ctx); err != nil {
		p.Close()
		return nil, err
	}
	p.begun.Go(p.janitor)
	p.begun.Go(p.scaler)
	return p, nil
}

// newPlatform is a platform that has read nothing yet. It lives until Close, not as long as ctx.
func newPlatform(ctx context.Context, o Options, u users) *Platform {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	open, shut := context.WithCancelCause(life)
	return &Platform{
		dir: layout(o.Dir), listeners: o.Listeners, shim: o.Shim, log: o.Logger, clock: o.Clock, users: u, find: process.Find, patience: serverPatience,
		regions: map[string]*target.RegionRecord{}, environments: map[target.EnvironmentID]*environment{},
		loadOf: (*stack).load, bad: map[string]error{}, life: life, end: end, open: open, shut: shut,
	}
}

// Close stops looking after what runs and leaves it running. From its beginning on nothing is
// recorded any more.
func (p *Platform) Close() {
	p.seal()
	p.end()
	p.begun.Wait()
	for _, e := range p.allEnvironments() {
		e.release()
	}
}

// Shut closes the front doors at once.
func (p *Platform) Shut() {
	for _, e := range p.allEnvironments() {
		e.closeDoor()
	}
}

// Stop ends everything that runs and keeps all data; the next Open brings it back. Nothing is
// recorded any more, so nothing can be started meanwhile either.
func (p *Platform) Stop(ctx context.Context) error {
	p.seal()
	environments := p.allEnvironments()
	errs := make([]error, len(environments))
	var wg sync.WaitGroup
	for n, e := range environments {
		wg.Go(func() { errs[n] = e.stop(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// StopTimeout is how long Stop may have to wait for what runs: as long as an instance may take
// to end.
func (p *Platform) StopTimeout() time.Duration {
	longest := stopGrace
	for _, st := range p.runningStacks() {
		for _, c := range st.current().Definition.Components {
			longest = max(longest, c.StopTimeout())
		}
	}
	return longest + killMargin
}

func (p *Platform) allEnvironments() []*environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.environments))
}

// Traffic counts what went to each environment's own database server.
func (p *Platform) Traffic() map[target.EnvironmentID]accounts.Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[target.EnvironmentID]accounts.Traffic{}
	for id, e := range p.environments {
		e.mu.Lock()
		if s := e.servers[""]; s != nil {
			out[id] = s.cluster.Traffic()
		}
		e.mu.Unlock()
	}
	return out
}

// Drain stops accepting requests, answers those that came, and returns when the clients'
// connections have left or ctx ends. It is for the old half of an upgrade.
func (p *Platform) Drain(ctx context.Context) error {
	environments := p.allEnvironments()
	errs := make([]error, len(environments))
	var wg sync.WaitGroup
	for n, e := range environments {
		if front := e.front(); front != nil {
			wg.Go(func() { errs[n] = front.Drain(ctx) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Installation is the id of the data directory, target.ErrNoInstallation before the first Put.
func (p *Platform) Installation(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.installation == nil {
		return "", p.noInstallation()
	}
	return p.installation.ID, nil
}

// Where names the data directory.
func (p *Platform) Where() string { return fmt.Sprintf("the local target in %s", string(p.dir)) }

func (p *Platform) noInstallation() error {
	return target.Errorf(target.ErrNoInstallation, "there is no installation of the local target in %s", string(p.dir))
}

// Empty says whether there is nothing to look after.
func (p *Platform) Empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.regions) == 0 && len(p.environments) == 0 && len(p.bad) == 0
}

// Ended says whether the installation was removed with its last region.
func (p *Platform) Ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// load reads every record and brings up what they describe.
func (p *Platform) load(ctx context.Context) error {
	var in installation
	switch err := store.Load(p.dir.installation(), &in); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	a, err := authority.Open(p.dir.authority(), in.ID, authority.Options{})
	if err != nil {
		return err
	}
	p.installation, p.authority = &in, a
	names, err := names(p.dir.regions(), ".json")
	if err != nil {
		return err
	}
	for _, name := range names {
		rec := &target.RegionRecord{}
		if err := store.Load(p.dir.region(name), rec); err != nil {
			p.bad[name] = p.complain(err)
			continue
		}
		p.regions[name] = rec
	}
	if names, err = dirNames(p.dir.environments()); err != nil {
		return err
	}
	p.reserve(names)
	for _, name := range names {
		id, err := environmentOf(name)
		if err != nil {
			continue
		}
		e, err := p.loadEnvironment(ctx, id)
		if err != nil {
			p.bad[id.String()] = p.complain(err)
			continue
		}
		if e != nil {
			p.environments[id] = e
		}
	}
	return nil
}

func (p *Platform) complain(err error) error {
	p.log.Error("a record can't be used", "error", err)
	return err
}

// install makes the installation with the first object. The caller holds p.mu.
func (p *Platform) install() error {
	if p.installation != nil {
		return nil
	}
	for _, dir := range []string{p.dir.regions(), p.dir.environments()} {
		if left, err := dirNames(dir); err != nil || len(left) > 0 {
			return errors.Join(err, &store.BadRecordError{Path: p.dir.installation(), Why: "it is missing, and what belongs to it is there, in " + dir})
		}
	}
	in := &installation{ID: "local-" + lower(rand.Text()[:12]), Key: rand.Text(), CreatedAt: p.clock.Now()}
	if err := p.passage(p.dir.regions(), p.dir.environments()); err != nil {
		return err
	}
	a, err := authority.Open(p.dir.authority(), in.ID, authority.Options{})
	if err != nil {
		return err
	}
	if err := p.save(p.dir.installation(), in); err != nil {
		return err
	}
	p.installation, p.authority, p.ended = in, a, false
	if err := os.Remove(agentapi.EndedFile(string(p.dir))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// uninstall removes everything but the logs after the last region. The caller holds p.mu.
func (p *Platform) uninstall() error {
	if p.installation == nil || len(p.regions)+len(p.environments)+len(p.bad) > 0 {
		return nil
	}
	if err := p.writeFile(agentapi.EndedFile(string(p.dir)), []byte(p.installation.ID+"\n"), 0o644, nil); err != nil {
		return err
	}
	var errs []error
	for _, path := range []string{p.dir.installation(), p.dir.regions(), p.dir.environments(), p.dir.authority(), filepath.Join(string(p.dir), "cache")} {
		errs = append(errs, os.RemoveAll(path))
	}
	p.installation, p.authority, p.ended = nil, nil, true
	return errors.Join(errs...)
}

// janitor retires what is due, and sees renewed certificates and restored records, twice a second.
func (p *Platform) janitor() {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-p.life.Done():
			return
		case <-t.C:
		}
		p.LookAgain()
		for _, e := range p.allEnvironments() {
			if e.rootRenewed() {
				e.poke()
			}
			for _, s := range e.allSlots() {
				if len(s.due()) > 0 {
					p.begun.Go(func() { s.retireDue(p.life) }) // it may take its time to end
				}
			}
		}
	}
}

// settings is where an environment's PostgreSQL comes from, as it was last told.
type settings = agentapi.Postgres
