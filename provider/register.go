package provider

import (
	"fmt"
	"slices"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// register holds what one plan has planned so far, so that resources are checked against
// each other before any of them exists. Terraform configures the provider anew for every
// walk over the configuration, and each walk starts with an empty register.
type register struct {
	regions      shelf[string, target.Region]
	environments shelf[target.EnvironmentID, target.Environment]
	databases    shelf[target.AccountDatabaseID, target.AccountDatabase]
	slots        shelf[target.SlotID, target.Slot]
}

func newRegister() *register { return &register{} }

// standing is what the register knows of an id.
type standing string

const (
	unseen  standing = "unseen"  // this plan has not come by yet
	planned standing = "planned" // it will be there, with a known definition
	opaque  standing = "opaque"  // it will be there, and a part of its definition is not known yet
	leaving standing = "leaving" // it will be destroyed
)

// intent is why a resource puts its plan into the register.
type intent string

const (
	creating intent = "creating"
	changing intent = "changing"
	// recreating is the second half of a replacement: Terraform has planned the same
	// resource before, with its prior state.
	recreating intent = "recreating"
)

// shelf is the register of one noun.
type shelf[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	value    V
	standing standing
	claims   int
	// held says that the object was read in this walk: this state has it, whoever made it.
	held bool
	// reach is what a planned change of the object changes of what is in it, too.
	reach []reach
}

// reach is what goes on from an object to what is in it.
type reach string

const (
	reachTags reach = "tags" // which what is made in an environment on aws bears, too
	reachKey  reach = "key"  // of a region on aws, with which what is in it is encrypted
)

// pass records that this plan changes something for all that is in the object.
func (s *shelf[K, V]) pass(id K, what reach) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[K]entry[V]{}
	}
	e := s.entries[id]
	e.reach = append(e.reach, what)
	s.entries[id] = e
}

// passes says whether this plan changes one of these for all that is in the object.
func (s *shelf[K, V]) passes(id K, what ...reach) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.entries[id].reach, func(r reach) bool { return slices.Contains(what, r) })
}

// hold records that this state has the object.
func (s *shelf[K, V]) hold(id K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[K]entry[V]{}
	}
	e := s.entries[id]
	e.held = true
	s.entries[id] = e
}

// held says whether the object was read in this walk.
func (s *shelf[K, V]) held(id K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id].held
}

// holds says whether this state is known to have the object, or to be about to.
func (s *shelf[K, V]) holds(id K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.entries[id]
	return ok
}

// put records that a resource plans v under id. It refuses a second resource of that id.
func (s *shelf[K, V]) put(id K, v V, known bool, why intent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[K]entry[V]{}
	}
	e := s.entries[id]
	e.value, e.standing = v, planned
	if !known {
		e.standing = opaque
	}
	if why != recreating {
		e.claims++
	}
	s.entries[id] = e
	if e.claims > 1 {
		return fmt.Errorf("two resources of this configuration are \"%v\": each id can belong to one resource only; remove one of them, or give it another name", id)
	}
	return nil
}

// leave records that the object is going, unless another resource plans the same id.
func (s *shelf[K, V]) leave(id K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[K]entry[V]{}
	}
	if e := s.entries[id]; e.claims == 0 {
		e.standing = leaving
		s.entries[id] = e
	}
}

func (s *shelf[K, V]) get(id K) (V, standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e.standing == "" {
		return e.value, unseen
	}
	return e.value, e.standing
}

// others returns what is planned under other ids, as far as it is known.
func (s *shelf[K, V]) others(id K) []V {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []V
	for k, e := range s.entries {
		if k != id && e.standing == planned {
			out = append(out, e.value)
		}
	}
	return out
}
