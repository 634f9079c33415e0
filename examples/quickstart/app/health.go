package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// healthLimit bounds one health check; the quickstart allows it 2 seconds.
const healthLimit = 1500 * time.Millisecond

// health answers 200 when this instance can work for every account. No accounts is healthy:
// an environment is empty before its first customer comes.
type health struct{ dbs *databases }

// status is the answer of the health check.
type status struct {
	Release  string            `json:"release"`
	Accounts int               `json:"accounts"`
	Problems map[string]string `json:"problems,omitempty"`
}

func (h health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthLimit)
	defer cancel()
	s := h.check(ctx)
	w.Header().Set("Content-Type", "application/json")
	if len(s.Problems) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(s)
}

// check asks the databases of all accounts, eight at a time.
func (h health) check(ctx context.Context) status {
	s := status{Release: release, Problems: map[string]string{}}
	names, err := h.dbs.dir.names()
	if err != nil {
		s.Problems["directory"] = err.Error()
		return s
	}
	s.Accounts = len(names)
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		slots = make(chan struct{}, 8)
	)
	for _, name := range names {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := h.ask(ctx, name); err != nil {
				mu.Lock()
				defer mu.Unlock()
				s.Problems[name] = err.Error()
			}
		})
	}
	group.Wait()
	return s
}

// ask reads from the table that the requests need, not just "SELECT 1".
func (h health) ask(ctx context.Context, name string) error {
	pool, err := h.dbs.get(ctx, name)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `SELECT id FROM orders LIMIT 1`)
	return err
}
