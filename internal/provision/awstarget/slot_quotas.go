package awstarget

import (
	"context"
	"fmt"
	"strconv"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// What a load balancer has at most ("Quotas for your Application Load Balancers"), where the AWS
// account says nothing else.
const (
	quotaGroups = "target-groups-per-application-load-balancer"
	quotaRules  = "rules-per-application-load-balancer"
	quotaUsual  = 100
)

// needs counts what a slot takes of its environment's load balancer while two of its stacks are
// there: a target group for each routed component of each, a rule for each route at each entrance,
// and one that tells the release.
func needs(d target.Definition) (groups, rules int) {
	for _, c := range d.Components {
		if !c.Worker() {
			groups += 2
		}
		rules += 2 * len(c.Routes)
	}
	return groups, rules + 1
}

// quotas refuses a slot that the load balancer has no room for beside the others.
func (w *slotWork) quotas(ctx context.Context, s target.Slot) (target.Faults, error) {
	all, err := w.target.ListSlots(ctx, s.Environment)
	if err != nil {
		return nil, err
	}
	others := make([]target.Slot, 0, len(all))
	for _, rec := range all {
		others = append(others, rec.Asked)
	}
	return room(s, others, func() (map[string]int, error) { return w.clients.balancerLimits(ctx) })
}

// dropped counts the rules of the routes that a definition has no more: they stay at both entrances until
// the swap to it is over.
func dropped(from, to target.Definition) int {
	kept := map[target.Route]bool{}
	for _, c := range to.Expand().Components {
		for _, r := range c.Routes {
			kept[r] = true
		}
	}
	rules := 0
	for _, c := range from.Expand().Components {
		for _, r := range c.Routes {
			if !kept[r] {
				rules += 2
			}
		}
	}
	return rules
}

// room refuses a slot that the load balancer has no room for beside the others, and asks for its
// limits only where they could matter. Others may have the slot as it was before.
func room(s target.Slot, others []target.Slot, ask func() (map[string]int, error)) (target.Faults, error) {
	groups, rules := needs(s.Definition)
	for _, other := range others {
		if other.ID() == s.ID() {
			rules += dropped(other.Definition, s.Definition)
			continue
		}
		g, r := needs(other.Definition)
		groups, rules = groups+g, rules+r
	}
	if groups <= quotaUsual && rules <= quotaUsual {
		return nil, nil
	}
	limits, err := ask()
	if err != nil {
		return nil, err
	}
	var f target.Faults
	for _, v := range []struct {
		quota, what string
		need        int
	}{{quotaGroups, "target groups", groups}, {quotaRules, "listener rules", rules}} {
		if v.need > limits[v.quota] {
			f = append(f, target.Fault{Path: "components", Message: fmt.Sprintf("the slots of environment %q would need %d %s of their load balancer, which has %d: use fewer routed components or routes, another environment, or ask AWS for more (AWS: %q)", s.Environment, v.need, v.what, limits[v.quota], "Quotas for your Application Load Balancers")})
		}
	}
	return f, nil
}

// balancerLimits are the quotas as they are for this AWS account.
func (c *clients) balancerLimits(ctx context.Context) (map[string]int, error) {
	all := map[string]int{quotaGroups: quotaUsual, quotaRules: quotaUsual}
	var marker *string
	for {
		out, err := c.elb.DescribeAccountLimits(ctx, &elb.DescribeAccountLimitsInput{Marker: marker})
		if err != nil {
			return nil, failed(err, "read the quotas of load balancers")
		}
		for _, l := range out.Limits {
			if n, err := strconv.Atoi(text(l.Max)); err == nil {
				all[text(l.Name)] = n
			}
		}
		if marker = out.NextMarker; marker == nil {
			return all, nil
		}
	}
}
