package memtarget

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// stack is a stack as it is stored.
type stack struct {
	spec      target.StackSpec
	instances []*instance
	retireAt  *time.Time
	inFlight  int
	answered  *time.Time // when it ended its last answer before it lost its traffic
	drift     []string
}

// Fingerprint digests a definition; programs in memory have no artifacts to add.
func (t *Target) Fingerprint(ctx context.Context, d target.Definition) (string, error) {
	return call(ctx, t, reads, "Fingerprint", func(*store) (string, error) { return d.Fingerprint(nil) })
}

// CheckSlot refuses programs that are images: like the local target this one runs commands. It
// refuses a suite's account that has no database.
func (t *Target) CheckSlot(ctx context.Context, slot target.Slot) error {
	d := slot.Definition
	_, err := call(ctx, t, reads, "CheckSlot", func(s *store) (struct{}, error) {
		for _, name := range target.SortedKeys(d.Components) {
			if d.Components[name].Image != "" {
				return struct{}{}, imageError("components." + name)
			}
		}
		if d.Migrate != nil && d.Migrate.Image != "" {
			return struct{}{}, imageError("migrate")
		}
		if d.TestSuite != nil && d.TestSuite.Image != "" {
			return struct{}{}, imageError("test_suite")
		}
		if d.TestSuite != nil && d.TestSuite.Account != "" {
			id := target.AccountDatabaseID{Environment: slot.Environment, Account: d.TestSuite.Account}
			if _, ok := s.databases[id]; !ok {
				return struct{}{}, target.Errorf(target.ErrInvalid, "test_suite.account: account %q has no database in environment %q", id.Account, id.Environment)
			}
		}
		return struct{}{}, nil
	})
	return err
}

func imageError(path string) error {
	return target.Errorf(target.ErrInvalid, "%s.image: this target runs commands, not images: set command instead", path)
}

// PutStack puts a stack in a seat, or changes routes, scaling and capacity of the one there.
func (t *Target) PutStack(ctx context.Context, spec target.StackSpec, l target.Lease) error {
	return do(ctx, t, "PutStack", func(s *store) error {
		spec, err := clone(spec)
		if err != nil {
			return err
		}
		held, err := s.leased(spec.Slot, l)
		if err != nil {
			return err
		}
		st, taken := held.stacks[spec.Color]
		switch {
		case taken && (st.spec.Fingerprint != spec.Fingerprint || st.spec.SwapID != spec.SwapID):
			return target.Errorf(target.ErrConflict, "the %s seat of slot %q holds release %q of swap %q", spec.Color, spec.Slot, st.spec.Definition.Release, st.spec.SwapID)
		case taken && !sameProgram(st.spec.Definition, spec.Definition):
			return target.Errorf(target.ErrInvalid, "the stack in the %s seat of slot %q has this fingerprint and other components", spec.Color, spec.Slot)
		case !taken:
			st = &stack{}
			held.stacks[spec.Color] = st
			s.record(StackMade, spec.Slot, spec.Color, spec.Definition.Release)
		}
		st.spec, st.drift = spec, nil
		s.scale(st)
		return nil
	})
}

// sameProgram says that two definitions differ in nothing that a fingerprint covers.
func sameProgram(a, b target.Definition) bool {
	x, errX := a.Fingerprint(nil)
	y, errY := b.Fingerprint(nil)
	return errX == nil && errY == nil && x == y
}

// DeleteStack empties a seat that carries no traffic.
func (t *Target) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	return do(ctx, t, "DeleteStack", func(s *store) error {
		held, err := s.leased(id, l)
		if err != nil {
			return err
		}
		if held.carries(c) {
			return target.Errorf(target.ErrServing, "the %s stack of slot %q carries the traffic", c, id)
		}
		s.removeStack(id, held, c, StackRemoved)
		return nil
	})
}

// RetireStack sets when a stack that carries no traffic is removed by itself. An empty seat is
// success.
func (t *Target) RetireStack(ctx context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	return do(ctx, t, "RetireStack", func(s *store) error {
		held, err := s.leased(id, l)
		if err != nil {
			return err
		}
		st, ok := held.stacks[c]
		switch {
		case !ok:
		case at == nil:
			st.retireAt = nil
		case held.carries(c):
			return target.Errorf(target.ErrServing, "the %s stack of slot %q carries the traffic", c, id)
		default:
			utc := at.UTC()
			st.retireAt = &utc
		}
		return nil
	})
}

// retire removes the stacks whose time has come and that carry no traffic.
func (s *store) retire(id target.SlotID, l *slot) {
	for c, st := range l.stacks {
		if st.retireAt != nil && !s.now().Before(*st.retireAt) && !l.carries(c) {
			s.removeStack(id, l, c, StackRetired)
		}
	}
}

func (s *store) removeStack(id target.SlotID, l *slot, c target.Color, how EventKind) {
	if st, ok := l.stacks[c]; ok {
		s.record(how, id, c, st.spec.Definition.Release)
		delete(l.stacks, c)
	}
}

// resting says that no swap is under way.
func resting(r *target.SlotRecord) bool { return r == nil || r.Swap == nil || r.Swap.Phase.Finished() }

// Observe sees a slot, and moves its instances and tasks on by a step.
func (t *Target) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	return call(ctx, t, reads, "Observe", func(s *store) (target.Observation, error) {
		obs := target.Observation{At: s.now(), Stacks: map[target.Color]target.StackStatus{}}
		l, err := s.slot(id)
		if errors.Is(err, target.ErrNotFound) {
			return obs, nil
		}
		if err != nil {
			return obs, err
		}
		obs.Serving, obs.Percent = l.traffic.Color, l.traffic.Percent
		if l.request != nil {
			obs.Request = pointer(*l.request)
		}
		for c, st := range l.stacks {
			s.scale(st)
			status := target.StackStatus{Spec: st.spec, Scale: map[string]int{}, InFlight: st.inFlight, LastAnswerAt: st.answered, RetireAt: st.retireAt}
			if resting(l.record) {
				status.Drift = st.drift
			}
			for name := range st.spec.Definition.Components {
				status.Scale[name] = s.wanted(st, name)
			}
			for _, i := range st.instances {
				s.observe(st, i)
				status.Instances = append(status.Instances, i.status)
			}
			obs.Stacks[c] = status
		}
		for key, k := range l.tasks {
			s.observeTask(k)
			if obs.Tasks == nil {
				obs.Tasks = map[string]target.TaskStatus{}
			}
			obs.Tasks[key] = k.status
		}
		return obs, nil
	})
}
