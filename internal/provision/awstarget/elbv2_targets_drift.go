package awstarget

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// attributesInPlans is in how large a refresh the attributes of target groups are looked at, of which
// each group is a call: of so many groups in the AWS region.
const attributesInPlans = 10

// findTargetGroups describes target groups by ARN, with nil all of the AWS region.
func findTargetGroups(ctx context.Context, c *clients, arns []string) (map[string]types.TargetGroup, error) {
	all := map[string]types.TargetGroup{}
	pages := elb.NewDescribeTargetGroupsPaginator(c.elb, &elb.DescribeTargetGroupsInput{TargetGroupArns: arns})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(absent(err, errNoTargetGroup), "find target groups")
		}
		for _, g := range page.TargetGroups {
			all[text(g.TargetGroupArn)] = g
		}
	}
	return all, nil
}

// groupsNow describes the target groups of stacks that are there. In a refresh everybody asks for all of
// the AWS region, and the look shares the answer.
func (w *slotWork) groupsNow(ctx context.Context, seats []*seat) (map[string]types.TargetGroup, error) {
	var asked []string
	for _, of := range seats {
		for _, name := range target.SortedKeys(of.TargetGroups) {
			asked = append(asked, of.TargetGroups[name])
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	if w.refreshing {
		asked = nil
	}
	t := w.target
	return t.grouped.get(fmt.Sprint(w.clients.region, asked), t.now(), recent, func() (map[string]types.TargetGroup, error) {
		all, err := findTargetGroups(ctx, w.clients, asked)
		if asked != nil && isAbsent(err) { // one of them is gone, and AWS does not say which
			all, err = findTargetGroups(ctx, w.clients, nil)
		}
		return all, err
	})
}

// groupDrift says how the target group of a component differs from what was made.
func (w *slotWork) groupDrift(ctx context.Context, of *seat, name string, seen driftSeen) ([]string, error) {
	arn := of.TargetGroups[name]
	g, there := seen.groups[arn]
	if !there {
		return []string{fmt.Sprintf("its target group %q was deleted: no request reaches its tasks", of.unit(name).targetGroup())}, nil
	}
	out, _ := checkDrift(of, name, g)
	if has, told := seen.tags[arn]; told {
		out = append(out, w.retagUnit(of, name, has).words(fmt.Sprintf("its target group %q", text(g.TargetGroupName)))...)
	}
	if w.refreshing && len(seen.groups) > attributesInPlans {
		return out, nil
	}
	now, err := w.target.attributes.get(arn, w.target.now(), recent, func() (map[string]string, error) { return findGroupAttributes(ctx, w.clients, arn) })
	if err != nil {
		return nil, err
	}
	want := w.attributes()
	for _, k := range target.SortedKeys(want) {
		if now[k] != want[k] {
			out = append(out, fmt.Sprintf("%s of its target group %q is %q, and is to be %q", k, text(g.TargetGroupName), now[k], want[k]))
		}
	}
	return out, nil
}

// attributes are those of a target group of what has, or had, traffic. It ends its requests as is asked
// for now, also where it is the fallback: that gets the traffic back with no time to set anything.
func (w *slotWork) attributes() map[string]string {
	all := groupAttributes()
	all[attributeDeregistration] = strconv.Itoa(min(w.drainSeconds, longestDrain))
	return all
}

// remakeTargetGroups makes those target groups of all stacks anew that somebody has deleted. Their
// services are led to them where their stacks are put.
func (w *slotWork) remakeTargetGroups(ctx context.Context) error {
	w.target.grouped.drop()
	for _, c := range target.SortedKeys(w.state.Seats) {
		of, made := w.state.Seats[c], map[string]string{}
		if of.Ending {
			continue
		}
		for _, name := range target.SortedKeys(of.TargetGroups) {
			arn, err := w.putTargetGroup(ctx, of, name)
			if err != nil {
				return fmt.Errorf("component %q: %w", name, err)
			}
			if arn != of.TargetGroups[name] {
				made[name] = arn
			}
		}
		if err := w.note(ctx, of, made, func(s *seat) *map[string]string { return &s.TargetGroups }); err != nil {
			return err
		}
	}
	return nil
}

// repairTargetGroups makes the target groups of a stack what they were.
func (w *slotWork) repairTargetGroups(ctx context.Context, of *seat) error {
	return each(target.SortedKeys(of.TargetGroups), func(name string) error {
		arn := of.TargetGroups[name]
		all, err := findTargetGroups(ctx, w.clients, []string{arn})
		if err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		if _, change := checkDrift(of, name, all[arn]); change != nil {
			if err := w.fence(ctx); err != nil {
				return err
			}
			defer w.target.grouped.drop()
			if _, err := w.clients.elb.ModifyTargetGroup(ctx, change); err != nil {
				return failed(err, "set the health check of target group %q", arn)
			}
		}
		return w.setTargetGroup(ctx, arn, w.attributes())
	})
}

// checkDrift says how the health check of a component's target group differs from what it was, and the
// change that repairs it, nil for none.
func checkDrift(of *seat, name string, g types.TargetGroup) ([]string, *elb.ModifyTargetGroupInput) {
	h := checks(*of.Spec.Definition.Components[name].HealthCheck)
	want := &elb.ModifyTargetGroupInput{
		TargetGroupArn: aws.String(of.TargetGroups[name]), HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPort: aws.String("traffic-port"),
		HealthCheckPath: &h.Path, HealthCheckIntervalSeconds: aws.Int32(int32(h.IntervalSeconds)), HealthCheckTimeoutSeconds: aws.Int32(int32(h.TimeoutSeconds)),
		HealthyThresholdCount: aws.Int32(int32(h.HealthyThreshold)), UnhealthyThresholdCount: aws.Int32(int32(h.UnhealthyThreshold)),
		Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
	}
	var codes string
	if g.Matcher != nil {
		codes = text(g.Matcher.HttpCode)
	}
	var out []string
	for _, v := range []struct {
		what      string
		has, want any
	}{
		{"switch", aws.ToBool(g.HealthCheckEnabled), true},
		{"protocol", g.HealthCheckProtocol, want.HealthCheckProtocol},
		{"port", text(g.HealthCheckPort), *want.HealthCheckPort},
		{"path", text(g.HealthCheckPath), h.Path},
		{"interval in seconds", aws.ToInt32(g.HealthCheckIntervalSeconds), *want.HealthCheckIntervalSeconds},
		{"timeout in seconds", aws.ToInt32(g.HealthCheckTimeoutSeconds), *want.HealthCheckTimeoutSeconds},
		{"healthy threshold", aws.ToInt32(g.HealthyThresholdCount), *want.HealthyThresholdCount},
		{"unhealthy threshold", aws.ToInt32(g.UnhealthyThresholdCount), *want.UnhealthyThresholdCount},
		{"status codes", codes, *want.Matcher.HttpCode},
	} {
		if v.has != v.want {
			out = append(out, fmt.Sprintf("the %s of the health check of its target group %q is %v, and is to be %v", v.what, text(g.TargetGroupName), v.has, v.want))
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, want
}
