package memtarget

import (
	"fmt"
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// EventKind is what happened.
type EventKind string

// Kinds of events.
const (
	StackMade    EventKind = "stack made"
	StackRemoved EventKind = "stack removed" // by a call
	StackRetired EventKind = "stack retired" // by its deadline
	Served       EventKind = "served"        // all of the traffic changed hands
	Shared       EventKind = "shared"        // a share of it did
	TaskStarted  EventKind = "task started"
)

// Event is one thing that happened to a slot.
type Event struct {
	At    time.Time
	Kind  EventKind
	Slot  target.SlotID
	Color target.Color
	// Name is the release of a stack, the key of a task. Of traffic it is the release that
	// serves, and Percent the share of the other one.
	Name    string
	Percent int
}

func (e Event) String() string {
	return fmt.Sprintf("%s %s %s %s", e.Slot, e.Kind, e.Color, e.Name)
}

func (s *store) record(k EventKind, id target.SlotID, c target.Color, name string) {
	s.log = append(s.log, Event{At: s.now(), Kind: k, Slot: id, Color: c, Name: name})
}

func (s *store) recordTraffic(k EventKind, id target.SlotID, t target.Traffic, name string) {
	s.log = append(s.log, Event{At: s.now(), Kind: k, Slot: id, Color: t.Color, Name: name, Percent: t.Percent})
}

// Log returns what happened to the slots, of the given kinds or of all, in order.
func (t *Target) Log(kinds ...EventKind) []Event {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	var out []Event
	for _, e := range t.store.log {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			out = append(out, e)
		}
	}
	return out
}

// ServedLog returns the releases that took the traffic of a slot, in order.
func (t *Target) ServedLog(id target.SlotID) []string {
	var out []string
	for _, e := range t.Log(Served) {
		if e.Slot == id {
			out = append(out, e.Name)
		}
	}
	return out
}

// Inventory names every object that exists, in order; empty means that nothing is left.
// Stacks that are overdue and leases that have expired count as gone.
func (t *Target) Inventory() []string {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if s.installation != "" && !s.ended {
		add("installation %s", s.installation)
	}
	for id := range s.regions {
		add("region %s", id)
	}
	for id := range s.environments {
		add("environment %s", id)
	}
	for id := range s.databases {
		add("account database %s", id)
	}
	for id := range s.foreign {
		add("foreign database %s", id)
	}
	for id, l := range s.slots {
		s.retire(id, l)
		if l.record != nil {
			add("slot %s", id)
		}
		for c, st := range l.stacks {
			add("stack %s %s %s", id, c, st.spec.Definition.Release)
		}
		for key := range l.tasks {
			add("task %s %s", id, key)
		}
		for _, j := range l.journals {
			add("journal %s %s", id, j.Swap.ID)
		}
		if s.valid(l.lease) {
			add("lease %s of %s", id, l.lease.Holder)
		}
	}
	slices.Sort(out)
	return out
}

// Secret returns the password that a secret id names, "" if there is none.
func (t *Target) Secret(secretID string) string {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	for _, d := range t.store.databases {
		if d.record.Status.SecretID == secretID {
			return d.password
		}
	}
	return ""
}
