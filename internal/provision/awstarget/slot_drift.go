package awstarget

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// observeDrift says what somebody else has changed about the stacks that are or were live: their
// services, what scales and ends them, and the rules that lead to them. Putting a stack again
// repairs it, by what made it. While a swap is under way these things change all the time, and are
// left alone.
func (w *slotWork) observeDrift(ctx context.Context, obs *target.Observation, e entrances, live target.Traffic, services map[string]types.Service) error {
	if !w.resting || w.state.Moving != nil {
		return nil
	}
	var rest []*seat
	for _, c := range target.SortedKeys(obs.Stacks) {
		if of := w.state.Seats[c]; of.Carried && !of.Ending && of.Before == nil && !of.Arming && (of.RetireAt == nil || obs.At.Before(*of.RetireAt)) {
			rest = append(rest, of)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	seen, err := w.driftSeen(ctx, e, rest)
	if err != nil {
		return err
	}
	for _, of := range rest {
		c := of.Spec.Color
		st := obs.Stacks[c]
		for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
			s := services[of.unit(name).service()]
			drift := w.componentDrift(of, name, carries(live, c), s, e, seen.scaling)
			if of.TargetGroups[name] != "" {
				more, err := w.groupDrift(ctx, of, name, seen)
				if err != nil {
					return err
				}
				drift = append(drift, more...)
			}
			words := fmt.Sprintf("component %q of release %s: ", name, of.Spec.Definition.Release)
			st.Drift = append(st.Drift, begun(words, drift)...)
			st.Mending = append(st.Mending, begun(words, serviceMending(of.Definitions[name], s))...)
		}
		if c == live.Color {
			st.Drift = append(st.Drift, w.rulesDrift(seen, live)...)
		}
		obs.Stacks[c] = st
	}
	return nil
}

// begun are texts that begin alike.
func begun(words string, all []string) []string {
	for i, what := range all {
		all[i] = words + what
	}
	return all
}

// driftSeen is what was asked for of stacks.
type driftSeen struct {
	scaling scalingSeen
	groups  map[string]elbtypes.TargetGroup // by ARN
	rules   rulesSeen
	// tags are those of rules and of target groups that they lead to, by ARN.
	tags map[string]map[string]string
}

func (w *slotWork) driftSeen(ctx context.Context, e entrances, seats []*seat) (seen driftSeen, err error) {
	if seen.scaling, err = w.scalingNow(ctx, seats); err != nil {
		return seen, err
	}
	if seen.groups, err = w.groupsNow(ctx, seats); err != nil {
		return seen, err
	}
	if seen.rules, err = w.ownRules(ctx, e, w.rulesLately); err != nil {
		return seen, err
	}
	seen.tags, err = w.balancingTags(ctx, seen.rules)
	return seen, err
}

// scalingNow is what Application Auto Scaling has of stacks. In a refresh everybody asks for what
// there is of all ECS services, by pages, and the look shares the answers; else each component is
// asked for, and looks that are made again and again are content with what was seen lately.
func (w *slotWork) scalingNow(ctx context.Context, seats []*seat) (scalingSeen, error) {
	var ids []string
	for _, of := range seats {
		for _, name := range target.SortedKeys(of.Spec.Definition.Components) {
			ids = append(ids, w.scaledID(of.unit(name)))
		}
	}
	if w.refreshing {
		return findScaling(ctx, w.clients, nil, []string{""})
	}
	t := w.target
	return t.scaled.get(w.id.String(), t.now(), recent, func() (scalingSeen, error) { return findScaling(ctx, w.clients, ids, ids) })
}

// findScaling asks for scalable targets, for nil all, and for the policies and actions of each
// resource, for "" all.
func findScaling(ctx context.Context, c *clients, targets, resources []string) (scalingSeen, error) {
	all := scalingSeen{policies: map[string]map[string]scaling.ScalingPolicy{}, actions: map[string]map[string]action{}}
	var err error
	if all.targets, err = findScaled(ctx, c, targets); err != nil {
		return all, err
	}
	for _, id := range resources {
		policies, err := findPolicies(ctx, c, id)
		if err != nil {
			return all, err
		}
		actions, err := findActions(ctx, c, id)
		if err != nil {
			return all, err
		}
		maps.Copy(all.policies, policies)
		maps.Copy(all.actions, actions)
	}
	return all, nil
}

// scalingSeen is what Application Auto Scaling has, by the resource ids of services.
type scalingSeen struct {
	targets  map[string]scaling.ScalableTarget
	policies map[string]map[string]scaling.ScalingPolicy
	actions  map[string]map[string]action
}

// componentDrift says how a component differs from what was made.
func (w *slotWork) componentDrift(of *seat, name string, carries bool, s types.Service, e entrances, now scalingSeen) []string {
	if s.ServiceName == nil || text(s.Status) != serviceActive {
		gone := fmt.Sprintf("its ECS service %q was deleted, and nothing of it is to run any more", of.unit(name).service())
		if carries && !of.Spec.Definition.Components[name].Worker() {
			gone += "; what it is asked is answered with an error until it runs again"
		}
		return []string{gone}
	}
	out, _ := w.serviceDrift(of, name, s)
	out = append(out, w.retagUnit(of, name, serviceTags(s)).words(fmt.Sprintf("service %q", *s.ServiceName))...)
	id := w.scaledID(of.unit(name))
	b, scaled := w.scaledNow(of, name, now.targets[id])
	switch _, there := now.targets[id]; {
	case !there:
		out = append(out, fmt.Sprintf("service %q is not scaled any more", *s.ServiceName))
	case scaled != "":
		out = append(out, fmt.Sprintf("service %q %s", *s.ServiceName, scaled))
	case int(s.DesiredCount) < b.min || int(s.DesiredCount) > b.max:
		out = append(out, fmt.Sprintf("service %q is to run %d tasks, and is scaled between %d and %d", *s.ServiceName, s.DesiredCount, b.min, b.max))
	}
	if b := boundsOf(of.Spec, name, w.target.now()); carries && !b.keep && s.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled {
		out = append(out, fmt.Sprintf("service %q does not keep its tasks spread over the zones", *s.ServiceName))
	}
	want := w.policies(of.Spec.Definition.Components[name].Scaling, of.TargetGroups[name], text(e.balancer.LoadBalancerArn))
	for _, policy := range both(target.SortedKeys(want), target.SortedKeys(now.policies[id])) {
		if !samePolicy(now.policies[id][policy].TargetTrackingScalingPolicyConfiguration, want[policy]) {
			out = append(out, fmt.Sprintf("scaling policy %q of service %q %s", policy, *s.ServiceName, fate(want[policy] != nil, has(now.policies[id], policy))))
		}
	}
	return append(out, w.actionsDrift(of, name, *s.ServiceName, now.actions[id])...)
}

// scaledNow says how a scalable target differs from the bounds of a component, and the bounds that
// it was compared with. A schedule is followed by AWS's clock and a little late: what was right a
// moment ago is right.
func (w *slotWork) scaledNow(of *seat, name string, t scaling.ScalableTarget) (bounds, string) {
	now := w.target.now()
	first := boundsOf(of.Spec, name, now)
	for _, at := range []time.Duration{0, -5 * time.Minute, time.Minute} {
		if b := boundsOf(of.Spec, name, now.Add(at)); scaledDrift(t, b) == "" {
			return b, ""
		}
	}
	return first, scaledDrift(t, first)
}

// actionsDrift says how the scheduled actions of a component differ from what was made.
func (w *slotWork) actionsDrift(of *seat, name, service string, now map[string]action) []string {
	var out []string
	want := of.schedules(name)
	for _, a := range both(target.SortedKeys(want), target.SortedKeys(now)) {
		if !final(a) && now[a] != want[a] {
			out = append(out, fmt.Sprintf("scheduled action %q of service %q %s", a, service, fate(has(want, a), has(now, a))))
		}
	}
	end := retirementName(of.Retirement)
	if of.retires(w.target.now()) && !w.target.ends(now[end], *of.RetireAt) {
		out = append(out, fmt.Sprintf("scheduled action %q of service %q, which is to end it at %s, %s", end, service, of.RetireAt.UTC().Format(time.RFC3339), fate(true, has(now, end))))
	}
	return out
}

// both are what is on one list or the other, in order.
func both(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// fate is what became of a thing that differs.
func fate(wanted, there bool) string {
	switch {
	case !there:
		return "is missing"
	case !wanted:
		return "was added by somebody else"
	}
	return "was changed"
}
