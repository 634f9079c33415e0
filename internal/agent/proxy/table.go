package proxy

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
)

// Entrance is one of the two ways into an environment.
type Entrance int

// The entrances.
const (
	Production Entrance = iota // reaches what serves
	Preview                    // reaches what is to be tested
)

func (e Entrance) String() string {
	if e == Preview {
		return "preview"
	}
	return "production"
}

// table says where requests go. It is never changed: changes make another one.
type table struct {
	entries [Preview + 1][]entry // by entrance, in the order of precedence
}

// entry is a route as it stands in a table.
type entry struct {
	matcher
	slot      string
	component string
	release   []string   // the value of the Slipway-Release header
	turn      *turn      // nil: the slot has no stack at this entrance
	instances *component // nil with turn
	split     *split     // nil: the slot has one stack
	canary    bool       // the side of the split that this is
	requests  *sequence  // of the component; nil with split
}

// turn is one period in which a stack is reached by one entrance. Requests are counted by
// turn, so that the end of a turn can be awaited although its stack may serve again.
type turn struct {
	stack    *stack
	meter    *meter // the stack's; nil where nothing is measured
	requests crowd
	last     instant // the last answer
}

// find returns the first entry that matches, or nil, and the first one on the other side of
// its slot's split, if both sides have one.
func (t *table) find(e Entrance, n name, path string) (found, other *entry) {
	entries := t.entries[e]
	for i := range entries {
		at := &entries[i]
		switch {
		case found != nil && (at.split != found.split || at.canary == found.canary):
		case !at.match(n, path):
		case found != nil:
			return found, at
		case at.split == nil:
			return at, nil
		default:
			found = at
		}
	}
	return found, nil
}

// choose finds the way of a request through the table, nil for none, and the cookie to be set
// by the answer to it, "" for none.
func (p *Proxy) choose(t *table, e Entrance, n name, r *http.Request) (found *entry, cookie string) {
	found, other := t.find(e, n, r.URL.Path)
	if other == nil {
		return found, ""
	}
	canary, at := found.split.side(r, n, found.requests)
	if found.canary != canary {
		found = other
	}
	if at != nil {
		cookie = p.sideCookie(*at)
	}
	return found, cookie
}

// enter finds the way of a request and counts it in. The caller leaves the entry's turn.
func (p *Proxy) enter(e Entrance, r *http.Request) (*entry, string, *refusal) {
	n, ours := parseName(r.Host, p.domain)
	if !ours {
		return nil, "", &refusal{http.StatusNotFound, codeNoRoute, fmt.Sprintf("%q is no name of %s", r.Host, p.domain)}
	}
	for {
		now := p.table.Load()
		found, cookie := p.choose(now, e, n, r)
		switch {
		case found == nil && p.lackRoutes.Load():
			return nil, "", &refusal{http.StatusServiceUnavailable, codeUnknownRoute, fmt.Sprintf("no known route for %q at the %s entrance, but the record of a slot can't be read: \"agent status\" tells", n.host+r.URL.Path, e)}
		case found == nil:
			return nil, "", &refusal{http.StatusNotFound, codeNoRoute, fmt.Sprintf("no route for %q at the %s entrance", n.host+r.URL.Path, e)}
		case found.turn == nil:
			return nil, "", &refusal{http.StatusServiceUnavailable, codeNoStack, fmt.Sprintf("slot %q has no stack at the %s entrance", found.slot, e)}
		}
		found.turn.requests.enter()
		if p.table.Load() == now {
			return found, cookie, nil
		}
		// The table was swapped meanwhile, and who swapped it may not have counted us.
		found.turn.requests.leave()
	}
}

// publish makes the table from the slots and their stacks. The caller holds p.mu.
func (p *Proxy) publish() {
	next := &table{}
	for slotName, s := range p.slots {
		for e, at := range s.reach {
			if at.main != nil {
				next.add(Entrance(e), p.domain, at.main, at.split, false)
				if at.canary != nil {
					next.add(Entrance(e), p.domain, at.canary, at.split, true)
				}
				continue
			}
			// Nobody serves there: the routes of what waits in the slot tell 503 from 404.
			for _, waiting := range p.stacks {
				if waiting.Slot == slotName {
					next.addVacant(Entrance(e), p.domain, waiting)
				}
			}
		}
	}
	for e := range next.entries {
		slices.SortFunc(next.entries[e], entry.compare)
	}
	p.table.Store(next)
	for _, s := range p.stacks {
		s.setRotation(p.slots[s.Slot].reaches(s))
	}
}

// add adds the routes of a stack that is reached. Proxy.mu is held.
func (t *table) add(e Entrance, domain string, at *turn, by *split, canary bool) {
	s := at.stack
	for _, r := range s.Routes {
		made := entry{
			matcher: newMatcher(r, domain), slot: s.Slot, component: r.Component,
			release: []string{s.Release}, turn: at, instances: s.component(r.Component), split: by, canary: canary,
		}
		if by != nil {
			made.requests = by.sequence(r.Component)
		}
		t.entries[e] = append(t.entries[e], made)
	}
}

// addVacant adds the routes of a stack that is not reached.
func (t *table) addVacant(e Entrance, domain string, s *stack) {
	for _, r := range s.Routes {
		t.entries[e] = append(t.entries[e], entry{matcher: newMatcher(r, domain), slot: s.Slot, component: r.Component})
	}
}

// compare puts entries with a stack before equal ones without, then sorts by slot.
func (e entry) compare(o entry) int {
	vacant := func(e entry) int {
		if e.turn == nil {
			return 1
		}
		return 0
	}
	return cmp.Or(e.matcher.compare(o.matcher), cmp.Compare(vacant(e), vacant(o)),
		cmp.Compare(e.slot, o.slot), cmp.Compare(e.component, o.component))
}
