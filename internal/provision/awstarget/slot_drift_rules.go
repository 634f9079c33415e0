package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// rulesSeen are the rules of both entrances, and those of them that are the slot's.
type rulesSeen struct {
	all, own []listenerRule
	// by is what is wanted at each entrance, and what is there.
	by []entranceSeen
}

type entranceSeen struct {
	name string
	want []wanted
	now  []listenerRule
}

// ownRules looks for the slot's rules at both entrances.
func (w *slotWork) ownRules(ctx context.Context, e entrances, find func(ctx context.Context, listener string) ([]listenerRule, error)) (rulesSeen, error) {
	out := rulesSeen{by: []entranceSeen{
		{name: "production", want: w.production(w.state.Traffic)},
		{name: "preview", want: w.state.preview(w.spec.DomainName)},
	}}
	for n, listener := range []string{e.production, e.preview} {
		now, err := find(ctx, listener)
		if err != nil {
			return out, err
		}
		out.by[n].now, out.all = now, append(out.all, now...)
		for _, want := range out.by[n].want {
			if i := want.among(now); i >= 0 {
				out.own = append(out.own, now[i])
			}
		}
	}
	return out, nil
}

// among is where a rule is among those of a listener, -1 for nowhere.
func (r wanted) among(now []listenerRule) int {
	return slices.IndexFunc(now, func(o listenerRule) bool { return sameConditions(o.conditions, r.conditions) })
}

// rulesDrift says how the rules of both entrances differ from what was written. What somebody has
// added beside them is left alone.
func (w *slotWork) rulesDrift(seen driftSeen, live target.Traffic) []string {
	if why := w.state.moved(live); why != "" {
		return []string{why}
	}
	var out []string
	if at := seen.rules.by[0]; leads(at.want) && len(w.state.shares(at.now)) == 0 {
		out = append(out, fmt.Sprintf("no rule of the %s entrance leads to release %s any more: nothing serves until they are made again", at.name, w.state.Seats[live.Color].Spec.Definition.Release))
	}
	for _, of := range seen.rules.by {
		for _, rule := range of.want {
			what := fmt.Sprintf("the rule of the %s entrance for %s", of.name, rule.words())
			i := rule.among(of.now)
			if i < 0 || !of.now[i].does(rule) {
				out = append(out, what+" "+fate(true, i >= 0))
			}
			if i < 0 {
				continue
			}
			if other, wrong := misplaced(of.now, i, w.spec.DomainName); wrong {
				side := "before"
				if of.now[i].priority < other.priority {
					side = "after"
				}
				out = append(out, fmt.Sprintf("%s has priority %d, and is to be %s that for %s, which has %d", what, of.now[i].priority, side, other.words(), other.priority))
			}
			if has, told := seen.tags[of.now[i].arn]; told {
				out = append(out, w.retagRule(has).words(what)...)
			}
		}
	}
	return out
}

// leads says whether one of some rules leads to a stack.
func leads(all []wanted) bool {
	return slices.ContainsFunc(all, func(r wanted) bool { return len(r.shares) > 0 })
}

// words name a rule by what it matches. The mark of probes is not told.
func (r wanted) words() string {
	var all []string
	for _, c := range r.conditions {
		if strings.EqualFold(c.header, headerProbe) {
			c.values = nil
		}
		all = append(all, c.field+" "+strings.TrimSpace(c.header+" "+strings.Join(c.values, " or ")))
	}
	return strings.Join(all, " and ")
}
