package accountdb

import (
	"context"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Lists keeps one list of account databases per environment for a run, so that a
// refresh of hundreds of resources asks once. A write drops it; from then on records are
// asked for one by one, since hundreds of writes would make as many lists. The zero value works.
type Lists struct {
	mu      sync.Mutex
	entries map[target.EnvironmentID]*cachedList
	written map[target.EnvironmentID]bool
}

// cachedList is a list that is there or on its way.
type cachedList struct {
	ready chan struct{}
	list  []target.AccountDatabaseRecord
	err   error
}

// Get returns the list, fetched at most once however many ask at the same time. A failed
// fetch is not kept.
func (c *Lists) Get(ctx context.Context, id target.EnvironmentID, fetch func(context.Context) ([]target.AccountDatabaseRecord, error)) ([]target.AccountDatabaseRecord, error) {
	c.mu.Lock()
	e := c.entries[id]
	if e != nil {
		c.mu.Unlock()
		select {
		case <-e.ready:
			return e.list, e.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if c.entries == nil {
		c.entries = map[target.EnvironmentID]*cachedList{}
	}
	e = &cachedList{ready: make(chan struct{})}
	c.entries[id] = e
	c.mu.Unlock()
	e.list, e.err = fetch(context.WithoutCancel(ctx))
	if e.err != nil {
		c.forget(id, e)
	}
	close(e.ready)
	return e.list, e.err
}

// Written says whether this run writes to an environment's account databases.
func (c *Lists) Written(id target.EnvironmentID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written[id]
}

// Drop forgets what is known of an environment.
func (c *Lists) Drop(id target.EnvironmentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, id)
	if c.written == nil {
		c.written = map[target.EnvironmentID]bool{}
	}
	c.written[id] = true
}

func (c *Lists) forget(id target.EnvironmentID, e *cachedList) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[id] == e {
		delete(c.entries, id)
	}
}
