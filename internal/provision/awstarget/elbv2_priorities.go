package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// prioritized does something with the first free priority of a range of a listener. Slots of an
// environment do so at the same time.
func (w *slotWork) prioritized(ctx context.Context, listener string, rank int, do func(priority int32) error) error {
	return w.target.until(ctx, "a free priority", func(ctx context.Context) (status, bool, error) {
		if err := w.fence(ctx); err != nil {
			return "", false, err
		}
		has, err := w.findRules(ctx, listener)
		if err != nil {
			return "", false, err
		}
		taken := map[int]bool{}
		for _, r := range has {
			taken[r.priority] = true
		}
		priority := rank
		for taken[priority] {
			priority++
		}
		defer w.target.ruled.drop()
		if err = do(int32(priority)); coded(err, "PriorityInUse") {
			return status(fmt.Sprintf("priority %d was taken meanwhile", priority)), false, nil
		}
		return "taken", true, err
	})
}

// moveRule gives a rule a priority of its range again.
func (w *slotWork) moveRule(ctx context.Context, listener, arn string, rank int) error {
	return w.prioritized(ctx, listener, rank, func(priority int32) error {
		_, err := w.clients.elb.SetRulePriorities(ctx, &elb.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: &arn, Priority: aws.Int32(priority)}}})
		return failed(err, "set the priority of rule %q", arn)
	})
}

// matcher is what a rule of Slipway's matches, of whichever slot, and where its priority begins.
type matcher struct {
	rank int
	// route is nil for what matches at every route.
	route *target.Route
}

// errNotOurs is of a rule that is like none of Slipway's.
var errNotOurs = errors.New("is no rule of Slipway's")

// matcherOf tells what a rule matches by its conditions.
func matcherOf(all []condition, domain string) (matcher, error) {
	m, r, rest := matcher{}, target.Route{PathPrefix: "/"}, []condition(nil)
	for _, c := range all {
		switch {
		case c.field == fieldHeader && strings.EqualFold(c.header, headerProbe):
			return matcher{rank: rankHeader}, nil
		case c.field == fieldHeader && strings.EqualFold(c.header, headerColor):
			m.rank = rankHeader
			continue
		case c.field == fieldPath && len(c.values) > 0:
			r.PathPrefix = slices.MinFunc(c.values, func(a, b string) int { return len(a) - len(b) })
		case c.field == fieldHost && len(c.values) == 1:
			r.Host = strings.TrimSuffix(c.values[0], "."+domain)
		}
		rest = append(rest, c)
	}
	if !sameConditions(rest, conditions(r, domain)) {
		return m, errNotOurs
	}
	if m.route = &r; m.rank == 0 {
		m.rank = rank(r)
	}
	return m, nil
}

// holds says whether a priority is in the range of a matcher.
func (m matcher) holds(priority int) bool {
	width := rankWidth
	if m.rank == rankHeader {
		width = rankExact - rankHeader
	}
	return m.rank <= priority && priority < m.rank+width
}

// meets says whether some requests match both.
func (m matcher) meets(o matcher) bool {
	if m.route == nil || o.route == nil {
		return true
	}
	a, b := *m.route, *o.route
	many := func(host string) bool { return host == "" || host == "*" }
	if a.Host != b.Host && !many(a.Host) && !many(b.Host) {
		return false
	}
	under := func(path, of string) bool {
		return path == of || strings.HasPrefix(path, strings.TrimSuffix(of, "/")+"/")
	}
	return under(a.PathPrefix, b.PathPrefix) || under(b.PathPrefix, a.PathPrefix)
}

// misplaced finds the rule of Slipway's, of whichever slot, that a rule is on the wrong side of: one gets
// requests that are the other's. Of two such rules that one is misplaced which is out of its range. Where
// the order changes nothing, priorities are nobody's matter.
func misplaced(all []listenerRule, i int, domain string) (other listenerRule, wrong bool) {
	its, err := matcherOf(all[i].conditions, domain)
	if err != nil || its.holds(all[i].priority) {
		return other, false
	}
	at := slices.IndexFunc(all, func(o listenerRule) bool {
		m, err := matcherOf(o.conditions, domain)
		if err != nil || o.fallThrough || m.rank == its.rank || !m.meets(its) {
			return false
		}
		return (m.rank < its.rank) != (o.priority < all[i].priority)
	})
	if at < 0 {
		return other, false
	}
	return all[at], true
}
