package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	connections = 20                    // keep-alive, shared out among the accounts
	pause       = 40 * time.Millisecond // between two orders on a connection: 500 a second in all
)

// load sends orders until it is stopped.
type load struct {
	run    string // makes the keys of this run unique
	stop   chan struct{}
	steady chan struct{} // closed when every connection has had an answer
	group  sync.WaitGroup

	mu      sync.Mutex
	waiting int
	report  report
}

// report is what came of it.
type report struct {
	Sent, Failed int
	Acknowledged map[string]int // by account
	ByRelease    map[string]int
	LastAnswer   map[string]time.Time // by release
	Slowest      time.Duration
	Failures     []string // the first of them
}

// startLoad opens the connections and begins to send. Each account gets its share.
func startLoad(ctx context.Context, open func(account string) (*shop, error), accounts []string) (*load, error) {
	l := &load{
		run: rand.Text(), stop: make(chan struct{}), steady: make(chan struct{}), waiting: connections,
		report: report{Acknowledged: map[string]int{}, ByRelease: map[string]int{}, LastAnswer: map[string]time.Time{}},
	}
	for i := range connections {
		s, err := open(accounts[i%len(accounts)])
		if err != nil {
			l.end()
			return nil, err
		}
		l.group.Go(func() { l.send(context.WithoutCancel(ctx), s, i) })
	}
	return l, nil
}

// end lets the orders that are on their way arrive.
func (l *load) end() report {
	close(l.stop)
	l.group.Wait()
	return l.report
}

func (l *load) send(ctx context.Context, s *shop, connection int) {
	defer s.close()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for n := 0; ; n++ {
		sent := time.Now()
		release, err := s.place(ctx, order{Item: "lamp", Quantity: 1, Key: fmt.Sprintf("%s-%d-%d", l.run, connection, n)})
		l.record(s.account, release, err, sent, time.Now())
		if n == 0 {
			l.answered()
		}
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
	}
}

func (l *load) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting--; l.waiting == 0 {
		close(l.steady)
	}
}

func (l *load) record(account, release string, err error, sent, answered time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.report
	r.Sent++
	if err != nil {
		r.Failed++
		if len(r.Failures) < 5 {
			r.Failures = append(r.Failures, fmt.Sprintf("%s %s: %v", answered.Format(time.TimeOnly), account, err))
		}
		return
	}
	r.Acknowledged[account]++
	r.ByRelease[release]++
	if answered.After(r.LastAnswer[release]) {
		r.LastAnswer[release] = answered
	}
	r.Slowest = max(r.Slowest, answered.Sub(sent))
}

// acknowledged counts the orders of all accounts.
func (r report) acknowledged() (n int) {
	for _, count := range r.Acknowledged {
		n += count
	}
	return n
}

// releases says how many orders each release took.
func (r report) releases() string {
	var all []string
	for _, release := range slices.Sorted(maps.Keys(r.ByRelease)) {
		all = append(all, fmt.Sprintf("%d by release %s", r.ByRelease[release], release))
	}
	return strings.Join(all, ", ")
}
