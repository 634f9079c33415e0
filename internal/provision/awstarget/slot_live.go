package awstarget

import (
	"context"
	"fmt"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// carries says whether a seat has traffic, all of it or a share.
func carries(t target.Traffic, c target.Color) bool { return shareOf(t, c) > 0 }

// shareOf is the percentage of the traffic that a seat has.
func shareOf(t target.Traffic, c target.Color) int {
	switch {
	case c == "" || t.Color == "":
		return 0
	case c == t.Color:
		return 100 - t.Percent
	}
	return t.Percent
}

// serving reads from the production entrance's rules who carries the traffic, as far as they tell.
func (w *slotWork) serving(ctx context.Context, e entrances) (target.Traffic, error) {
	if len(w.state.Seats) == 0 {
		return target.Traffic{}, nil
	}
	has, err := w.findRules(ctx, e.production)
	if err != nil {
		return target.Traffic{}, err
	}
	return w.state.divided(has, w.spec.DomainName), nil
}

// servingLately is serving for a look: other slots of the environment look at the same rules.
func (w *slotWork) servingLately(ctx context.Context, e entrances) (target.Traffic, error) {
	if len(w.state.Seats) == 0 {
		return target.Traffic{}, nil
	}
	has, err := w.rulesLately(ctx, e.production)
	if err != nil {
		return target.Traffic{}, err
	}
	return w.state.divided(has, w.spec.DomainName), nil
}

// rulesLately are a listener's rules for a look. One that is gone has none.
func (w *slotWork) rulesLately(ctx context.Context, listener string) ([]listenerRule, error) {
	t := w.target
	if listener == "" {
		return nil, nil
	}
	return t.ruled.get(listener, t.now(), t.pace.First, func() ([]listenerRule, error) { return w.findRules(ctx, listener) })
}

// divided says how rules divide the traffic. Where they are as they were last written they say
// what was asked for; where a change of them was interrupted they say that both seats carry some.
// They tell nothing of a stack without routes, nor where somebody has deleted all of them: then
// what was last divided counts.
func (s slotState) divided(has []listenerRule, domain string) target.Traffic {
	share, last := s.shares(has), s.lastDivided()
	for c, of := range s.Seats {
		if carries(last, c) && !of.routed() {
			share[c] = shareOf(last, c)
		}
	}
	switch {
	case len(share) == 0:
		return last
	case len(share) == 1:
		for c := range share {
			t := target.Traffic{Color: c}
			if s.Traffic.Color == c && s.Traffic.Percent == 0 {
				t.StickyBy = s.Traffic.StickyBy
			}
			return t
		}
	}
	asked := []target.Traffic{s.Traffic}
	if s.Moving != nil {
		asked = append(asked, *s.Moving)
	}
	for _, t := range asked {
		if t.Percent > 0 && s.written(has, t, domain) {
			return t
		}
	}
	c := s.Traffic.Color
	if c == "" {
		c = asked[len(asked)-1].Color
	}
	return target.Traffic{Color: c, Percent: min(max(1, share[c.Other()]), 99)}
}

// lastDivided is how the traffic was last divided, while the stack stands that got the most of it.
func (s slotState) lastDivided() target.Traffic {
	if of := s.Seats[s.Traffic.Color]; of == nil || of.Ending {
		return target.Traffic{}
	}
	return s.Traffic
}

// routed says whether a rule leads to anything of a stack.
func (s *seat) routed() bool {
	for _, c := range s.Spec.Definition.Components {
		if !c.Worker() {
			return true
		}
	}
	return false
}

// shares are the highest percentages that a rule gives to each seat.
func (s slotState) shares(has []listenerRule) map[target.Color]int {
	of := map[string]target.Color{}
	for c, v := range s.Seats {
		for _, arn := range v.TargetGroups {
			of[arn] = c
		}
	}
	share := map[target.Color]int{}
	for _, r := range has {
		for _, v := range r.fractions() {
			if c, ours := of[v.group]; ours && v.of > 0 {
				share[c] = max(share[c], v.of)
			}
		}
	}
	return share
}

// moved says in words that somebody else has divided the traffic, "" for nobody.
func (s slotState) moved(live target.Traffic) string {
	was := s.Traffic
	if live.Color == "" || live.Color == was.Color && live.Percent == was.Percent {
		return ""
	}
	return fmt.Sprintf("the load balancer's rules give seat %q all but %d percent of the traffic, and what was last asked for is %q but for %d percent: somebody else has changed them; put them back, then apply again", live.Color, live.Percent, was.Color, was.Percent)
}

// written says whether rules are what a division of the traffic needs.
func (s slotState) written(has []listenerRule, t target.Traffic, domain string) bool {
	for _, want := range s.production(t, domain) {
		if !slices.ContainsFunc(has, func(r listenerRule) bool { return sameConditions(r.conditions, want.conditions) && r.does(want) }) {
			return false
		}
	}
	return true
}
