package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const errNoBalancer = "LoadBalancerNotFound"

// balancerName is at most 32 characters, and does not begin like the DNS names of load balancers that are
// internal (CreateLoadBalancer).
func (n *noun) balancerName() string {
	readable := n.region + "-" + n.environment
	if strings.HasPrefix(readable, "internal-") {
		readable = "slipway-" + readable
	}
	return hashed(32, readable, n.region, n.environment)
}

// findBalancer describes a load balancer by its name.
func findBalancer(ctx context.Context, c *clients, name string) (*types.LoadBalancer, error) {
	out, err := c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{name}})
	if err != nil {
		return nil, failed(absent(err, errNoBalancer), "find load balancer %q", name)
	}
	if len(out.LoadBalancers) == 0 {
		return nil, errAbsent
	}
	return &out.LoadBalancers[0], nil
}

func statusBalancer(ctx context.Context, c *clients, name string) (status, error) {
	b, err := findBalancer(ctx, c, name)
	if err != nil || b.State == nil {
		return "", err
	}
	return status(b.State.Code), nil
}

// putBalancer makes the environment's load balancer. A create with the name of one that is
// there succeeds if it is the same, whoever made it: the tags are read after it.
func (n *noun) putBalancer(ctx context.Context, part string, e target.Environment, l layout) error {
	if err := n.chooseSubnets(ctx, e, l); err != nil {
		return err
	}
	name := n.balancerName()
	b, err := findBalancer(ctx, n.clients, name)
	if isAbsent(err) {
		b, err = n.createBalancer(ctx, part, name, e, l)
	}
	if err != nil {
		return err
	}
	err = n.target.appearing(ctx, fmt.Sprintf("load balancer %q", name), func(ctx context.Context) error {
		if err := n.retagELB(ctx, part, "load balancer", text(b.LoadBalancerArn)); err != nil {
			return err
		}
		return n.awaitBalancer(ctx, name)
	})
	if err != nil {
		return err
	}
	if group := n.fact(markBalancerGroup); len(b.SecurityGroups) != 1 || b.SecurityGroups[0] != group {
		if _, err := n.clients.elb.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: b.LoadBalancerArn, SecurityGroups: []string{group}}); err != nil {
			return failed(err, "set the security group of load balancer %q", name)
		}
	}
	if _, subnets := n.balancerPlace(e, l); !balancerIn(b, subnets) {
		if _, err := n.clients.elb.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: b.LoadBalancerArn, Subnets: subnets}); err != nil {
			return failed(err, "set the subnets of load balancer %q", name)
		}
	}
	different, err := n.balancerDrift(ctx, text(b.LoadBalancerArn), e)
	if err != nil || len(different) == 0 {
		return err
	}
	_, err = n.clients.elb.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: b.LoadBalancerArn, Attributes: different})
	return failed(err, "set the attributes of load balancer %q", name)
}

// awaitBalancer waits until a load balancer answers.
func (n *noun) awaitBalancer(ctx context.Context, name string) error {
	return n.target.until(ctx, fmt.Sprintf("load balancer %q", name), func(ctx context.Context) (status, bool, error) {
		b, err := findBalancer(ctx, n.clients, name)
		if err != nil {
			return "", false, err
		}
		return answering(b)
	})
}

// answering says whether a load balancer answers. One that is impaired does, and one that failed never
// will (LoadBalancerState).
func answering(b *types.LoadBalancer) (status, bool, error) {
	if b.State == nil {
		return "", false, nil
	}
	s := status(b.State.Code)
	switch b.State.Code {
	case types.LoadBalancerStateEnumActive, types.LoadBalancerStateEnumActiveImpaired:
		return s, true, nil
	case types.LoadBalancerStateEnumFailed:
		return s, false, fmt.Errorf("%s: mend what that says, remove the load balancer by hand, and apply again, which makes another one", ailment(b))
	}
	return s, false, nil
}

// ailment says what is wrong with a load balancer, "" for nothing.
func ailment(b *types.LoadBalancer) string {
	if b.State == nil {
		return ""
	}
	why := text(b.State.Reason)
	if why == "" {
		why = "AWS gives no reason"
	}
	switch b.State.Code {
	case types.LoadBalancerStateEnumActiveImpaired:
		return fmt.Sprintf("load balancer %q answers, but lacks what it needs to grow (%s)", text(b.LoadBalancerName), why)
	case types.LoadBalancerStateEnumFailed:
		return fmt.Sprintf("load balancer %q could not be set up (%s)", text(b.LoadBalancerName), why)
	}
	return ""
}

// createBalancer returns what it made: by its name that may not be described yet.
func (n *noun) createBalancer(ctx context.Context, part, name string, e target.Environment, l layout) (*types.LoadBalancer, error) {
	scheme, subnets := n.balancerPlace(e, l)
	out, err := n.clients.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: &name, Type: types.LoadBalancerTypeEnumApplication, Scheme: scheme, IpAddressType: types.IpAddressTypeIpv4,
		SecurityGroups: []string{n.fact(markBalancerGroup)}, Subnets: subnets, Tags: n.elbTags(part),
	})
	if coded(err, "DuplicateLoadBalancerName") {
		return nil, foreign("load balancer", name) // one with other settings, which ours never has
	}
	if err != nil {
		return nil, failed(err, "create load balancer %q", name)
	}
	return &out.LoadBalancers[0], nil
}

// balancerPlace is whom a load balancer faces, and where it is.
func (n *noun) balancerPlace(e target.Environment, l layout) (types.LoadBalancerSchemeEnum, []string) {
	if settingsOf(e).Internal {
		if chosen := n.factList(factBalancerSubnets); l.given != nil && len(chosen) > 0 {
			return types.LoadBalancerSchemeEnumInternal, chosen
		}
		return types.LoadBalancerSchemeEnumInternal, n.subnetIDs(l, subnetPrivate)
	}
	return types.LoadBalancerSchemeEnumInternetFacing, n.subnetIDs(l, subnetPublic)
}

// factBalancerSubnets are the private subnets that were chosen for a load balancer.
const factBalancerSubnets = "balancer-subnets"

// chooseSubnets chooses where an internal load balancer is among the private subnets of a network that is
// given: it takes one of each availability zone (CreateLoadBalancer), and they may be several.
func (n *noun) chooseSubnets(ctx context.Context, e target.Environment, l layout) error {
	if l.given == nil || !settingsOf(e).Internal {
		return nil
	}
	all, err := findSubnets(ctx, n.clients, l.given.PrivateSubnets)
	if err != nil {
		return err
	}
	return n.saveList(ctx, factBalancerSubnets, onePerZone(all))
}

// balancerIn says whether a load balancer is in some subnets and no others.
func balancerIn(b *types.LoadBalancer, subnets []string) bool {
	var has []string
	for _, z := range b.AvailabilityZones {
		has = append(has, text(z.SubnetId))
	}
	return sameSet(has, subnets)
}

// sameSet says whether two lists have the same elements, in whatever order.
func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (n *noun) elbTags(part string) []types.Tag {
	return tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
}

// claimELB refuses a resource of Elastic Load Balancing that is not ours.
func (n *noun) claimELB(ctx context.Context, part, what, arn string) error {
	all, err := findELBTags(ctx, n.clients, arn)
	if err == nil {
		err = n.claim(part, what, arn, all[arn])
	}
	return err
}

// retagELB does so too, and gives one that is ours the tags of the definition.
func (n *noun) retagELB(ctx context.Context, part, what, arn string) error {
	all, err := findELBTags(ctx, n.clients, arn)
	if err == nil {
		err = n.claim(part, what, arn, all[arn])
	}
	if err != nil {
		return err
	}
	return n.putELBTags(ctx, part, fmt.Sprintf("%s %q", what, arn), arn, all[arn])
}

// putELBTags gives a resource the tags of the definition.
func (n *noun) putELBTags(ctx context.Context, part, what, arn string, has map[string]string) error {
	return n.tagELB(ctx, n.retag(part, has), what, arn)
}

func (n *noun) tagELB(ctx context.Context, r retagging, what, arn string) error {
	return r.put(what, func(tags map[string]string) error {
		_, err := n.clients.elb.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{arn}, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
		return err
	}, func(keys []string) error {
		_, err := n.clients.elb.RemoveTags(ctx, &elb.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: keys})
		return err
	})
}

// maxTagged is how many resources one call reads the tags of (DescribeTags).
const maxTagged = 20

// findELBTags reads the tags of resources of Elastic Load Balancing, by ARN.
func findELBTags(ctx context.Context, c *clients, arns ...string) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for some := range slices.Chunk(arns, maxTagged) {
		out, err := c.elb.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return nil, failed(absent(err, errNoBalancer, errNoListener, errNoRule, errNoTargetGroup), "read the tags of %q", some)
		}
		for _, d := range out.TagDescriptions {
			all[text(d.ResourceArn)] = tagMap(d.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
		}
	}
	return all, nil
}

// balancerDrift lists the attributes of a load balancer that differ, as they should be.
func (n *noun) balancerDrift(ctx context.Context, arn string, e target.Environment) ([]types.LoadBalancerAttribute, error) {
	out, err := n.clients.elb.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil, failed(err, "read the attributes of load balancer %q", arn)
	}
	has := map[string]string{}
	for _, a := range out.Attributes {
		has[text(a.Key)] = text(a.Value)
	}
	want := map[string]string{
		"access_logs.s3.bucket":                           logsName(n.clients, n.region),
		"access_logs.s3.enabled":                          "true",
		"access_logs.s3.prefix":                           n.environment,
		"deletion_protection.enabled":                     strconv.FormatBool(e.DeletionProtection),
		"idle_timeout.timeout_seconds":                    "60",
		"routing.http.desync_mitigation_mode":             "defensive",
		"routing.http.drop_invalid_header_fields.enabled": "true",
		"routing.http.preserve_host_header.enabled":       "false",
		"routing.http.xff_header_processing.mode":         "append",
		"routing.http2.enabled":                           "true",
	}
	var different []types.LoadBalancerAttribute
	for _, k := range target.SortedKeys(want) {
		if has[k] != want[k] {
			different = append(different, types.LoadBalancerAttribute{Key: aws.String(k), Value: aws.String(want[k])})
		}
	}
	return different, nil
}

// checkBalancer says how a load balancer differs from what putBalancer makes.
func (n *noun) checkBalancer(ctx context.Context, e target.Environment, l layout) ([]string, error) {
	name := n.balancerName()
	b, err := findBalancer(ctx, n.clients, name)
	if isAbsent(err) {
		return []string{fmt.Sprintf("load balancer %q is gone", name)}, nil
	}
	if err != nil {
		return nil, err
	}
	var drift []string
	if is := ailment(b); is != "" {
		drift = append(drift, is)
	}
	if len(b.SecurityGroups) != 1 || b.SecurityGroups[0] != n.fact(markBalancerGroup) {
		drift = append(drift, fmt.Sprintf("load balancer %q has another security group", name))
	}
	if _, subnets := n.balancerPlace(e, l); !balancerIn(b, subnets) {
		drift = append(drift, fmt.Sprintf("load balancer %q is in other subnets", name))
	}
	different, err := n.balancerDrift(ctx, text(b.LoadBalancerArn), e)
	for _, a := range different {
		drift = append(drift, fmt.Sprintf("%s of load balancer %q is not %q", text(a.Key), name, text(a.Value)))
	}
	return drift, err
}

// deleteBalancer removes a load balancer with its protection and its listeners.
func (n *noun) deleteBalancer(ctx context.Context, part string) error {
	name := n.balancerName()
	b, err := findBalancer(ctx, n.clients, name)
	if err == nil {
		err = n.claimELB(ctx, part, "load balancer", text(b.LoadBalancerArn))
	}
	if err != nil {
		return gone(err, errNoBalancer)
	}
	_, err = n.clients.elb.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: b.LoadBalancerArn,
		Attributes:      []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("false")}},
	})
	if gone(err, errNoBalancer) != nil {
		return failed(err, "take away the protection of load balancer %q", name)
	}
	if _, err := n.clients.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}); gone(err, errNoBalancer) != nil {
		return failed(err, "delete load balancer %q", name)
	}
	return n.target.until(ctx, fmt.Sprintf("the end of load balancer %q", name), func(ctx context.Context) (status, bool, error) {
		s, err := statusBalancer(ctx, n.clients, name)
		if isAbsent(err) {
			return "gone", true, nil
		}
		return s, false, err
	})
}
