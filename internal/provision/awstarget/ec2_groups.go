package awstarget

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Security groups: of the load balancer, of what runs, and of the database servers.
const (
	markBalancerGroup = "group-balancer"
	markStackGroup    = "group-stacks"
	markDatabaseGroup = "group-database"
)

const postgresPort = 5432

// rule is one thing that a security group lets in. Either from or block is set.
type rule struct {
	from, to int32
	block    string
	group    string // the mark of another group
}

// groupRules are what each security group lets in. What nobody needs is not let in.
func groupRules(e target.Environment, l layout) map[string][]rule {
	https, preview := int32(e.Network.HTTPSPort), int32(e.Network.PreviewPort)
	return map[string][]rule{
		markBalancerGroup: {
			{from: 80, to: 80, block: "0.0.0.0/0"}, // answers with a redirect only
			{from: https, to: https, block: "0.0.0.0/0"},
			{from: preview, to: preview, block: l.network()},
		},
		markStackGroup:    {{from: 0, to: 65535, group: markBalancerGroup}},
		markDatabaseGroup: {{from: postgresPort, to: postgresPort, group: markStackGroup}},
	}
}

// groups are the security groups, each with what it lets in. The order is that of what they
// refer to.
func (n *noun) groups(e target.Environment, l layout) []thing {
	var all []thing
	for _, mark := range []string{markBalancerGroup, markStackGroup, markDatabaseGroup} {
		all = append(all, n.group(mark, groupRules(e, l)[mark]))
	}
	return all
}

func (n *noun) group(mark string, rules []rule) thing {
	c := n.clients.ec2
	return thing{
		mark: mark, what: "security group", idFilter: "group-id", kind: types.ResourceTypeSecurityGroup,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, g := range out.SecurityGroups {
				all = append(all, found{text(g.GroupId), available, ec2Tags(g.Tags)})
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, _ string) (string, error) {
			out, err := c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
				GroupName: aws.String(name(255, "slipway", n.region, n.environment, mark)), Description: aws.String("Slipway: " + mark),
				VpcId: aws.String(n.fact(markVPC)), TagSpecifications: tags,
			}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.GroupId), nil
		},
		settle: func(ctx context.Context, id string) error { return n.putRules(ctx, id, rules) },
		check: func(ctx context.Context, id string) ([]string, error) {
			missing, surplus, err := n.compareRules(ctx, id, rules)
			if err == nil && len(missing)+len(surplus) > 0 {
				return []string{fmt.Sprintf("security group %s lacks %d rules and has %d too many", id, len(missing), len(surplus))}, nil
			}
			return nil, err
		},
		delete: func(ctx context.Context, id string) error {
			_, err := c.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
			return gone(err, "InvalidGroup.NotFound")
		},
	}
}

// putRules lets in what is missing and shuts out what was let in by somebody else.
func (n *noun) putRules(ctx context.Context, id string, rules []rule) error {
	missing, surplus, err := n.compareRules(ctx, id, rules)
	if err != nil {
		return err
	}
	if len(surplus) > 0 {
		if _, err := n.clients.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: surplus}); gone(err, "InvalidSecurityGroupRuleId.NotFound") != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = n.clients.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: missing})
	return gone(err, "InvalidPermission.Duplicate")
}

// compareRules lists the permissions that a group lacks and the ids of the rules that it has
// too many.
func (n *noun) compareRules(ctx context.Context, id string, rules []rule) (missing []types.IpPermission, surplus []string, err error) {
	filter := "group-id"
	var has []rule
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(n.clients.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: &filter, Values: []string{id}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range page.SecurityGroupRules {
			if aws.ToBool(r.IsEgress) {
				continue
			}
			seen := rule{from: aws.ToInt32(r.FromPort), to: aws.ToInt32(r.ToPort), block: text(r.CidrIpv4)}
			if r.ReferencedGroupInfo != nil {
				seen.group = text(r.ReferencedGroupInfo.GroupId)
			}
			if i := slices.IndexFunc(rules, func(want rule) bool { return n.resolved(want) == seen && text(r.IpProtocol) == "tcp" }); i < 0 {
				surplus = append(surplus, text(r.SecurityGroupRuleId))
			}
			has = append(has, seen)
		}
	}
	for _, r := range rules {
		r = n.resolved(r)
		if slices.Contains(has, r) {
			continue
		}
		p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: &r.from, ToPort: &r.to}
		if r.group != "" {
			p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.group}}
		} else {
			p.IpRanges = []types.IpRange{{CidrIp: &r.block}}
		}
		missing = append(missing, p)
	}
	return missing, surplus, nil
}

// resolved is a rule with another group's id in place of its mark.
func (n *noun) resolved(r rule) rule {
	if r.group != "" {
		r.group = n.fact(r.group)
	}
	return r
}
