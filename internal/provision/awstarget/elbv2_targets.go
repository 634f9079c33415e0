package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const errNoTargetGroup = "TargetGroupNotFound"

func findTargetGroup(ctx context.Context, c *clients, name string) (*types.TargetGroup, error) {
	out, err := c.elb.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{name}})
	if err != nil {
		return nil, failed(absent(err, errNoTargetGroup), "find target group %q", name)
	}
	if len(out.TargetGroups) == 0 {
		return nil, errAbsent
	}
	return &out.TargetGroups[0], nil
}

// putTargetGroup makes the target group of a component, and returns its ARN. A create with the
// name of one that is the same succeeds, whoever made it: the tags are read after it, but of the one
// that is known. One that is new may not be known by its ARN either for some seconds.
func (w *slotWork) putTargetGroup(ctx context.Context, of *seat, component string) (string, error) {
	p := of.unit(component)
	name := p.targetGroup()
	g, err := findTargetGroup(ctx, w.clients, name)
	if isAbsent(err) {
		g, err = w.createTargetGroup(ctx, of, component)
	}
	if err != nil {
		return "", err
	}
	arn := text(g.TargetGroupArn)
	if arn == of.TargetGroups[component] {
		return arn, w.setTargetGroup(ctx, arn, groupAttributes())
	}
	return arn, w.target.appearing(ctx, fmt.Sprintf("target group %q", name), func(ctx context.Context) error {
		if err := w.claimELB(ctx, p.mark(), "target group", arn); err != nil {
			return err
		}
		return w.setTargetGroup(ctx, arn, groupAttributes())
	})
}

// createTargetGroup returns what it made: by its name that can't be described yet.
func (w *slotWork) createTargetGroup(ctx context.Context, of *seat, component string) (*types.TargetGroup, error) {
	if err := w.fence(ctx); err != nil {
		return nil, err
	}
	p, c := of.unit(component), of.Spec.Definition.Components[component]
	h := checks(*c.HealthCheck)
	out, err := w.clients.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String(p.targetGroup()), VpcId: aws.String(w.fact(markVPC)), TargetType: types.TargetTypeEnumIp,
		Protocol: types.ProtocolEnumHttp, ProtocolVersion: aws.String("HTTP1"), Port: aws.Int32(int32(port(c))), IpAddressType: types.TargetGroupIpAddressTypeEnumIpv4,
		HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPort: aws.String("traffic-port"),
		HealthCheckPath: &h.Path, HealthCheckIntervalSeconds: aws.Int32(int32(h.IntervalSeconds)), HealthCheckTimeoutSeconds: aws.Int32(int32(h.TimeoutSeconds)),
		HealthyThresholdCount: aws.Int32(int32(h.HealthyThreshold)), UnhealthyThresholdCount: aws.Int32(int32(h.UnhealthyThreshold)),
		Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
		Tags:    tagList(w.placeTags(p.mark(), &of.Spec, component), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
	})
	if coded(err, "DuplicateTargetGroupName") {
		return nil, foreign("target group", p.targetGroup()) // one with other settings, which ours never has
	}
	if err != nil {
		return nil, failed(err, "create target group %q", p.targetGroup())
	}
	return &out.TargetGroups[0], nil
}

// checks is a health check in the bounds that a load balancer has ("Health checks for your target
// groups"): it checks every 5 seconds at most, and takes 2 to 10 checks in a row to change its
// mind. The checks in a row that a release must pass are counted by us.
func checks(h target.HealthCheck) target.HealthCheck {
	h.IntervalSeconds = max(5, h.IntervalSeconds)
	h.TimeoutSeconds = min(max(2, h.TimeoutSeconds), h.IntervalSeconds-1)
	h.HealthyThreshold = min(max(2, h.HealthyThreshold), 10)
	h.UnhealthyThreshold = min(max(2, h.UnhealthyThreshold), 10)
	return h
}

const attributeDeregistration = "deregistration_delay.timeout_seconds"

// groupAttributes are those of every target group. Whether a group has healthy targets must not
// take the load balancer out of the environment's names: one of a candidate counts like any other.
func groupAttributes() map[string]string {
	return map[string]string{
		"stickiness.enabled": "false",
		"target_group_health.dns_failover.minimum_healthy_targets.count": "off",
		"load_balancing.cross_zone.enabled":                              "use_load_balancer_configuration",
	}
}

func findGroupAttributes(ctx context.Context, c *clients, arn string) (map[string]string, error) {
	out, err := c.elb.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoTargetGroup), "read the attributes of target group %q", arn)
	}
	return tagMap(out.Attributes, func(a types.TargetGroupAttribute) (*string, *string) { return a.Key, a.Value }), nil
}

// setTargetGroup sets the attributes that differ.
func (w *slotWork) setTargetGroup(ctx context.Context, arn string, want map[string]string) error {
	has, err := findGroupAttributes(ctx, w.clients, arn)
	if err != nil {
		return err
	}
	var different []types.TargetGroupAttribute
	for _, k := range target.SortedKeys(want) {
		if has[k] != want[k] {
			different = append(different, types.TargetGroupAttribute{Key: aws.String(k), Value: aws.String(want[k])})
		}
	}
	if len(different) == 0 {
		return nil
	}
	if err := w.fence(ctx); err != nil {
		return err
	}
	defer w.target.attributes.drop()
	_, err = w.clients.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &arn, Attributes: different})
	return failed(absent(err, errNoTargetGroup), "set the attributes of target group %q", arn)
}

// deleteTargetGroup removes a target group that is in no rule any more, which the load balancer may see
// later: it is asked again for some two minutes.
func (w *slotWork) deleteTargetGroup(ctx context.Context, p unit) error {
	g, err := findTargetGroup(ctx, w.clients, p.targetGroup())
	if err == nil {
		err = w.claimELB(ctx, p.mark(), "target group", text(g.TargetGroupArn))
	}
	if err != nil {
		return gone(err, errNoTargetGroup)
	}
	tries := 0
	return w.target.until(ctx, fmt.Sprintf("the end of target group %q", p.targetGroup()), func(ctx context.Context) (status, bool, error) {
		if err := w.fence(ctx); err != nil {
			return "", false, err
		}
		_, err := w.clients.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: g.TargetGroupArn})
		const most = 15
		if tries++; coded(err, "ResourceInUse") && tries < most {
			return "in use", false, nil
		}
		return "gone", true, failed(gone(err, errNoTargetGroup), "delete target group %q", p.targetGroup())
	})
}

// targetHealth is what the load balancer says of one target.
type targetHealth struct {
	state  types.TargetHealthStateEnum
	reason string
}

// unchecked is why a target has no check, "" where it has one or its first is only to come.
func (h targetHealth) unchecked() string {
	switch h.state {
	case "":
		return "it is no target of the load balancer yet"
	case types.TargetHealthStateEnumInitial, types.TargetHealthStateEnumHealthy, types.TargetHealthStateEnumUnhealthy:
		return ""
	}
	return fmt.Sprintf("the load balancer has it as %s (%s)", h.state, h.reason)
}

// findHealth asks for the health of a group's targets, by address.
func findHealth(ctx context.Context, c *clients, group string) (map[string]targetHealth, error) {
	out, err := c.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, failed(gone(err, errNoTargetGroup), "read the health of target group %q", group)
	}
	all := map[string]targetHealth{}
	for _, d := range out.TargetHealthDescriptions {
		if d.Target != nil && d.TargetHealth != nil {
			all[text(d.Target.Id)] = targetHealth{d.TargetHealth.State, text(d.TargetHealth.Description)}
		}
	}
	return all, nil
}
