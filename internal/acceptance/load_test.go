//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is a crowd of clients that place orders, each over one connection that it keeps.
type load struct {
	m       *machine
	account string
	end     context.CancelFunc
	clients sync.WaitGroup

	mu           sync.Mutex
	sent         int
	acknowledged map[string]bool
	failures     []failure
	releases     map[string]int
	// lastAnswer is when somebody was last answered, longest the longest time without.
	lastAnswer time.Time
	longest    time.Duration
}

// failure is a request that was not answered as it should be.
type failure struct {
	at  time.Time
	err error
}

// startLoad begins to place orders for an account over as many connections. Each client
// places an order, asks for something, rests for a moment, and again.
func (m *machine) startLoad(account string, connections int, rest time.Duration) *load {
	m.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(m.Context()))
	l := &load{m: m, account: account, end: end, acknowledged: map[string]bool{}, releases: map[string]int{}, lastAnswer: time.Now()}
	for n := range connections {
		c := m.client()
		l.clients.Go(func() { l.work(ctx, c, n, rest) })
	}
	m.Cleanup(l.stop)
	return l
}

func (l *load) work(ctx context.Context, c *http.Client, n int, rest time.Duration) {
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", n, i)
		l.note(id, place(context.WithoutCancel(ctx), c, l.m.url(l.account, "/orders"), id), "")
		a, err := ask(context.WithoutCancel(ctx), c, http.MethodGet, l.m.url(l.account, "/"))
		if err == nil && (a.status != http.StatusOK || a.release != a.body) {
			err = fmt.Errorf("got %+v", a)
		}
		l.note("", err, a.release)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *load) note(order string, err error, release string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.failures = append(l.failures, failure{time.Now(), err})
		return
	}
	now := time.Now()
	l.longest = max(l.longest, now.Sub(l.lastAnswer))
	l.lastAnswer = now
	if order != "" {
		l.acknowledged[order] = true
	}
	if release != "" {
		l.releases[release]++
	}
}

// stop ends the clients after their last request.
func (l *load) stop() {
	l.end()
	l.clients.Wait()
}

// failed is how many requests failed so far, and how.
func (l *load) failed() (int, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, f := range l.failures[:min(len(l.failures), 5)] {
		fmt.Fprintf(&b, "\n%s %v", f.at.UTC().Format("15:04:05.000"), f.err)
	}
	return len(l.failures), b.String()
}

// lossless ends the test if a request failed, and after the clients have stopped if an order
// that was acknowledged is not in the database.
func (l *load) lossless() {
	l.m.Helper()
	if n, how := l.failed(); n > 0 {
		l.m.Errorf("%d of %d requests failed:%s", n, l.sent, how)
	}
	l.kept()
}

// kept ends the test if an order that was acknowledged is not in the database.
func (l *load) kept() {
	l.m.Helper()
	stored := l.m.orders(l.account)
	lost := 0
	for id := range l.acknowledged {
		if !stored[id] {
			lost++
		}
	}
	l.m.Logf("%d requests, %d failed, %d orders acknowledged, %d stored, %d lost, longest time without an answer %s", l.sent, len(l.failures), len(l.acknowledged), len(stored), lost, l.longest.Round(time.Millisecond))
	if lost > 0 || len(stored) < len(l.acknowledged) {
		l.m.Errorf("%d of %d acknowledged orders are not in the database", lost, len(l.acknowledged))
	}
}

// orders are the orders in an account's database.
func (m *machine) orders(account string) map[string]bool {
	m.Helper()
	e := m.account(account)
	pool, err := e.open(m.Context(), 1)
	m.ok(err)
	defer pool.Close()
	rows, err := pool.Query(m.Context(), "SELECT id FROM orders")
	m.ok(err)
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var id string
		m.ok(rows.Scan(&id))
		out[id] = true
	}
	m.ok(rows.Err())
	return out
}

// account is an account's entry in the directory that stacks read.
func (m *machine) account(name string) accountEntry {
	m.Helper()
	dir, _ := m.state("slipway_environment.test")["accounts_directory"].(string)
	e, err := readAccount(dir, name)
	m.ok(err)
	return e
}

// shop is a slot that keeps orders: it migrates the databases of its accounts first.
func shop(release string, a attrs) string {
	return slot(release, attrs{
		"components": "{ api = " + component("ok", attrs{"scaling": "{ min = 2 }"}) + " }",
		"migrate":    "{ command = " + command("migrate") + ", timeout_seconds = 60 }",
		"depends_on": "[slipway_account_database.acme]",
	}.with(a))
}

// TestAccLocalSwapUnderLoad swaps again and again while orders come in over connections that
// stay open: none is lost, and what is under way when a swap comes is completed.
func TestAccLocalSwapUnderLoad(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(n int) string {
		return m.base(nil) + database("acme", nil) + shop(strconv.Itoa(n), nil)
	}
	m.apply(config(1))
	l := m.startLoad("acme", 50, 400*time.Millisecond)
	const swaps = 20
	for n := 2; n <= swaps+1; n++ {
		complete := func() {}
		if n%5 == 0 {
			complete = m.startSlow(t.Context())
		}
		m.apply(config(n))
		complete()
		m.serves(strconv.Itoa(n))
	}
	l.stop()
	l.lossless()
	for n := 1; n <= swaps+1; n++ {
		if l.releases[strconv.Itoa(n)] == 0 {
			t.Errorf("release %d answered nobody", n)
		}
	}
	m.emptyPlan("after all swaps")
	m.destroy()
}

// startSlow begins requests that will be under way when the next swap comes, and returns
// what waits for them.
func (m *machine) startSlow(ctx context.Context) (wait func()) {
	m.Helper()
	stop := make(chan struct{})
	var running sync.WaitGroup
	begin := func(path string, right func(answer) bool) {
		c := m.client()
		running.Go(func() {
			for {
				a, err := ask(ctx, c, http.MethodGet, m.url("", path))
				if err != nil || a.status != http.StatusOK || !right(a) {
					m.Errorf("GET %s across a swap: %+v, %v", path, a, err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	begin("/slow?milliseconds=2000", func(a answer) bool { return a.body == a.release })
	begin("/stream?events=25", func(a answer) bool {
		return strings.Count(a.body+"\n", " "+a.release+"\n") == 25
	})
	return func() {
		close(stop)
		running.Wait()
	}
}

// answered is how many requests were answered as they should be.
func (l *load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent - len(l.failures)
}
