package memtarget

import (
	"maps"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// Fork makes a target of its own that holds what this one holds now, under another clock.
// Tests play on from the same moment more than once with it.
func (t *Target) Fork(c wait.Clock) *Target {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newStore(s.options)
	out.options.Clock = c
	out.installation, out.installed = s.installation, s.installed
	out.regions = maps.Clone(s.regions)
	for id, e := range s.environments {
		out.environments[id] = pointer(*e)
	}
	for id, d := range s.databases {
		out.databases[id] = pointer(*d)
	}
	for id, l := range s.slots {
		out.slots[id] = l.fork()
	}
	out.log = slices.Clone(s.log)
	out.foreign, out.hindered = maps.Clone(s.foreign), maps.Clone(s.hindered)
	out.instances, out.tasks = slices.Clone(s.instances), maps.Clone(s.tasks)
	out.loads, out.answers = slices.Clone(s.loads), slices.Clone(s.answers)
	return &Target{store: out, faults: newFaults()}
}

// fork copies what is changed in place; records and specs are only ever replaced.
func (l *slot) fork() *slot {
	out := *l
	out.stacks, out.tasks = maps.Clone(l.stacks), maps.Clone(l.tasks)
	out.shares, out.answered, out.journals = slices.Clone(l.shares), slices.Clone(l.answered), slices.Clone(l.journals)
	for c, st := range l.stacks {
		out.stacks[c] = pointer(*st)
		out.stacks[c].instances = slices.Clone(st.instances)
		for n, i := range st.instances {
			out.stacks[c].instances[n] = pointer(*i)
		}
	}
	for key, k := range l.tasks {
		out.tasks[key] = pointer(*k)
	}
	return &out
}

func pointer[T any](v T) *T { return &v }
