package awstest

import (
	"net/http"
	"sync"
)

// overlay answers what moto answers wrongly or not at all, and passes on the rest.
type overlay struct {
	pieces []piece
	moto   http.Handler
	called *called
}

// called counts calls by service.
type called struct {
	mu sync.Mutex
	by map[string]int
}

func (c *called) count(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[service]++
}

// Called counts the calls by service since it was last asked for.
func (a *Account) Called() map[string]int {
	a.called.mu.Lock()
	defer a.called.mu.Unlock()
	by := a.called.by
	a.called.by = nil
	return by
}

// piece answers some calls, with the help of moto. It returns nil for a call that is not its
// business.
type piece func(c Call, moto http.Handler) http.Handler

func newOverlay(a *Account) *overlay {
	return &overlay{moto: a.cloud.moto, called: &a.called, pieces: []piece{
		doubledTags, bucketTags, endpointFilters, identifiers, subnetGroups, (&logGroups{cloud: a.cloud}).piece, a.databases.piece, a.databases.statements, new(writes).piece, a.fleet.piece, a.balancing.piece, a.scaling.piece,
		func(c Call, _ http.Handler) http.Handler { return a.balancing.interfaces(c) },
		newCloudWatch(a.cloud, a.balancing, a.fleet).piece, (&networks{a.cloud, a.fleet}).piece, (&gateways{cloud: a.cloud}).piece, a.fleet.roles.piece,
	}}
}

// ServeHTTP answers a request.
func (o *overlay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, err := identify(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.called.count(call.Service)
	for _, p := range o.pieces {
		if h := p(call, o.moto); h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	o.moto.ServeHTTP(w, r)
}
