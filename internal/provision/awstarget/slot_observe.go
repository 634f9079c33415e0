package awstarget

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Observe implements target.Stacks. A run that has the slot's lease notes since when it sees
// tasks healthy, which AWS does not tell, and what became of tasks that AWS forgets.
func (t *Target) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	obs := target.Observation{At: t.now(), Stacks: map[target.Color]target.StackStatus{}}
	l, held := t.held.Load(id)
	if !held {
		ctx = t.recently(ctx)
	}
	w, err := t.openSlot(ctx, id)
	if err != nil {
		return obs, err
	}
	if w.refreshing = shares(ctx); held {
		w.lease = l.(target.Lease)
	}
	r, err := w.table.get(ctx, slotKey(id))
	if err == nil {
		obs.Request, err = requestOf(r)
	}
	if err == nil && r.version > 0 {
		var rec target.SlotRecord
		rec, err = slotRecord(r)
		w.read(rec)
	}
	if err == nil {
		err = w.observe(ctx, &obs)
	}
	if err != nil {
		return obs, fmt.Errorf("observe slot %q: %w", id, err)
	}
	return obs, nil
}

func (w *slotWork) observe(ctx context.Context, obs *target.Observation) error {
	if w.state.empty() {
		return nil
	}
	if len(w.state.Seats) > 0 {
		e, gone, err := w.front(ctx)
		if err != nil {
			return err
		}
		live, err := w.servingLately(ctx, e)
		if err != nil {
			return err
		}
		obs.Serving, obs.Percent = live.Color, live.Percent
		services, err := w.servicesNow(ctx, w.state.services())
		if isAbsent(err) && w.lease.Token == "" {
			gone, err = append(gone, fmt.Sprintf("the ECS cluster %q of environment %q is gone: apply the environment, which makes it anew", w.clusterName(), w.id.Environment)), nil
		}
		if err != nil {
			return err
		}
		if err := w.observeStacks(ctx, obs, services); err != nil {
			return err
		}
		if st, there := obs.Stacks[live.Color]; there {
			st.Drift = gone
			obs.Stacks[live.Color] = st
		}
		if err := w.observeDrift(ctx, obs, e, live, services); err != nil {
			return err
		}
	}
	return w.observeTasks(ctx, obs)
}

// front are the entrances, and what is said of those that are gone. What the environment lacks must not
// keep anybody from looking, for the plan that repairs it looks too: then what was last divided counts.
// A run that has the slot's lease does not go on by that.
func (w *slotWork) front(ctx context.Context) (entrances, []string, error) {
	if w.lease.Token != "" {
		e, err := w.entrances(ctx)
		return e, nil, err
	}
	e, gone, err := w.entrancesLeft(ctx)
	if gone == "" {
		return e, nil, err
	}
	return e, []string{gone}, nil
}

// observeStacks looks at all components of both stacks at once.
func (w *slotWork) observeStacks(ctx context.Context, obs *target.Observation, services map[string]types.Service) error {
	for _, c := range target.SortedKeys(w.state.Seats) {
		of := w.state.Seats[c]
		st, noted, err := w.observeStack(ctx, of, services)
		if err != nil {
			return err
		}
		if !obs.Carries(c) && overAndGone(of, st, services, obs.At) {
			continue
		}
		obs.Stacks[c] = st
		if w.lease.Token == "" {
			continue
		}
		if of.Before == nil { // else what is scaled may be missing, and whoever puts the stack again does it
			_ = w.lookAfter(ctx, c) // tried again at each look, from long before it matters
		}
		if !maps.Equal(noted, of.Health) {
			if err := w.changeSeat(ctx, c, of.Attempt, func(s *seat) { s.Health = noted }); unnoted(err) != nil {
				return err
			}
		}
	}
	return nil
}

// unnoted is an error of a note that matters: somebody else may have the lease by now.
func unnoted(err error) error {
	if errors.Is(err, target.ErrLeaseLost) || errors.Is(err, target.ErrConflict) {
		return nil
	}
	return err
}

// services are the names of the services of all seats.
func (s slotState) services() []string {
	var names []string
	for _, c := range target.SortedKeys(s.Seats) {
		for _, name := range target.SortedKeys(s.Seats[c].Spec.Definition.Components) {
			names = append(names, s.Seats[c].unit(name).service())
		}
	}
	return names
}

// overAndGone says whether a stack's time is over at a time and nothing of it runs any more.
func overAndGone(of *seat, st target.StackStatus, services map[string]types.Service, at time.Time) bool {
	if of.RetireAt == nil || at.Before(*of.RetireAt) {
		return false
	}
	for name := range of.Spec.Definition.Components {
		if s := services[of.unit(name).service()]; s.RunningCount+s.PendingCount > 0 || st.Scale[name] > 0 {
			return false
		}
	}
	return true
}

// observeStack looks at the stack in a seat.
func (w *slotWork) observeStack(ctx context.Context, of *seat, services map[string]types.Service) (target.StackStatus, map[string]health, error) {
	st := target.StackStatus{Spec: of.Spec, Scale: map[string]int{}, RetireAt: of.RetireAt}
	if of.Before != nil {
		st.Spec = *of.Before
	}
	if of.Arming {
		st.RetireAt = nil
	}
	names := target.SortedKeys(of.Spec.Definition.Components)
	var mu sync.Mutex
	noted, found := map[string]health{}, map[string][]target.InstanceStatus{}
	err := each(names, func(name string) error {
		s, err := w.look(ctx, of, name, services[of.unit(name).service()])
		if err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		all, notes := s.statuses()
		if err := w.addLines(ctx, of.unit(name), s, all); err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		st.Scale[name], found[name] = s.count, all
		maps.Copy(noted, notes)
		return nil
	})
	for _, name := range names {
		st.Instances = append(st.Instances, found[name]...)
	}
	return st, noted, err
}

// look asks AWS about one component.
func (w *slotWork) look(ctx context.Context, of *seat, name string, service types.Service) (seen, error) {
	s := seen{component: name, Component: of.Spec.Definition.Components[name], count: int(service.DesiredCount), noted: of.Health, unasked: w.refreshing}
	if len(service.Events) > 0 {
		s.event = text(service.Events[0].Message)
	}
	if service.ServiceName != nil {
		all, err := w.tasksNow(ctx, *service.ServiceName)
		if err != nil {
			return s, err
		}
		s.tasks = ofService(all, service)
	}
	var err error
	if group := of.TargetGroups[name]; group != "" && !w.refreshing {
		s.targets, err = w.healthOf(ctx, group)
	}
	s.now = w.target.now()
	return s, err
}

// healthOf is the health of a group's targets, by address. A look is content with what the load
// balancer said half a check ago: it checks every five seconds at most.
func (w *slotWork) healthOf(ctx context.Context, group string) (map[string]targetHealth, error) {
	t, ask := w.target, func() (map[string]targetHealth, error) { return findHealth(ctx, w.clients, group) }
	if w.deciding {
		return ask()
	}
	return t.health.get(group, t.now(), t.pace.First*5/2, ask)
}
