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

// groupsDrift says how the target groups of stacks differ from what was made. In a refresh everybody
// asks for all of the AWS region, and the look shares the answer.
func (w *slotWork) groupsDrift(ctx context.Context, seats []*seat, live target.Traffic) (map[string]string, error) {
	var arns []string
	for _, of := range seats {
		for _, name := range target.SortedKeys(of.TargetGroups) {
			arns = append(arns, of.TargetGroups[name])
		}
	}
	if len(arns) == 0 {
		return nil, nil
	}
	asked := arns
	if w.refreshing {
		asked = nil
	}
	t := w.target
	all, err := t.grouped.get(fmt.Sprint(asked), t.now(), recent, func() (map[string]types.TargetGroup, error) { return findTargetGroups(ctx, w.clients, asked) })
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, of := range seats {
		for _, name := range target.SortedKeys(of.TargetGroups) {
			arn := of.TargetGroups[name]
			g, there := all[arn]
			if !there {
				out[arn] = fmt.Sprintf("its target group %q is gone: another release makes one", of.unit(name).targetGroup())
				continue
			}
			if checkDrift(of, name, g) != nil {
				out[arn] = fmt.Sprintf("the health check of its target group %q was changed", text(g.TargetGroupName))
				continue
			}
			if w.refreshing && len(all) > attributesInPlans {
				continue
			}
			now, err := t.attributes.get(arn, t.now(), recent, func() (map[string]string, error) { return findGroupAttributes(ctx, w.clients, arn) })
			if err != nil {
				return nil, err
			}
			want := w.attributes(carries(live, of.Spec.Color))
			for _, k := range target.SortedKeys(want) {
				if now[k] != want[k] {
					out[arn] = fmt.Sprintf("%s of its target group %q is %q, and is to be %q", k, text(g.TargetGroupName), now[k], want[k])
				}
			}
		}
	}
	return out, nil
}

// attributes are those of a target group; what has traffic ends its requests as is asked for now.
func (w *slotWork) attributes(carries bool) map[string]string {
	all := groupAttributes()
	if carries {
		all[attributeDeregistration] = strconv.Itoa(min(w.drainSeconds, longestDrain))
	}
	return all
}

// repairTargetGroups makes the target groups of a stack what they were.
func (w *slotWork) repairTargetGroups(ctx context.Context, of *seat, carries bool) error {
	return each(target.SortedKeys(of.TargetGroups), func(name string) error {
		arn := of.TargetGroups[name]
		all, err := findTargetGroups(ctx, w.clients, []string{arn})
		if err != nil {
			return fmt.Errorf("component %q: %w", name, err)
		}
		if change := checkDrift(of, name, all[arn]); change != nil {
			if err := w.fence(ctx); err != nil {
				return err
			}
			defer w.target.grouped.drop()
			if _, err := w.clients.elb.ModifyTargetGroup(ctx, change); err != nil {
				return failed(err, "set the health check of target group %q", arn)
			}
		}
		return w.setTargetGroup(ctx, arn, w.attributes(carries))
	})
}

// checkDrift is what makes the health check of a component's target group what it was, nil for
// nothing.
func checkDrift(of *seat, name string, g types.TargetGroup) *elb.ModifyTargetGroupInput {
	h := checks(*of.Spec.Definition.Components[name].HealthCheck)
	want := &elb.ModifyTargetGroupInput{
		TargetGroupArn: aws.String(of.TargetGroups[name]), HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPort: aws.String("traffic-port"),
		HealthCheckPath: &h.Path, HealthCheckIntervalSeconds: aws.Int32(int32(h.IntervalSeconds)), HealthCheckTimeoutSeconds: aws.Int32(int32(h.TimeoutSeconds)),
		HealthyThresholdCount: aws.Int32(int32(h.HealthyThreshold)), UnhealthyThresholdCount: aws.Int32(int32(h.UnhealthyThreshold)),
		Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
	}
	same := aws.ToBool(g.HealthCheckEnabled) && g.HealthCheckProtocol == want.HealthCheckProtocol && text(g.HealthCheckPort) == *want.HealthCheckPort && text(g.HealthCheckPath) == h.Path &&
		aws.ToInt32(g.HealthCheckIntervalSeconds) == *want.HealthCheckIntervalSeconds && aws.ToInt32(g.HealthCheckTimeoutSeconds) == *want.HealthCheckTimeoutSeconds &&
		aws.ToInt32(g.HealthyThresholdCount) == *want.HealthyThresholdCount && aws.ToInt32(g.UnhealthyThresholdCount) == *want.UnhealthyThresholdCount &&
		g.Matcher != nil && text(g.Matcher.HttpCode) == *want.Matcher.HttpCode
	if same {
		return nil
	}
	return want
}
