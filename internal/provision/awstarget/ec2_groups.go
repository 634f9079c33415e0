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

// Security groups: of the load balancer, of what runs, of the database servers and of endpoints.
const (
	markBalancerGroup = "group-balancer"
	markStackGroup    = "group-stacks"
	markDatabaseGroup = "group-database"
	markEndpointGroup = "group-endpoints"
)

const postgresPort = 5432

// rule is one thing that a security group lets in. One of block, fact and group is set.
type rule struct {
	from, to int32
	block    string
	fact     string // a fact that holds blocks
	group    string // the mark of another group
}

// groupRules are what each security group lets in. What nobody needs is not let in.
func groupRules(e target.Environment, l layout) map[string][]rule {
	return map[string][]rule{
		markBalancerGroup: entranceRules(e, l),
		markStackGroup:    {{from: 0, to: 65535, group: markBalancerGroup}},
		markDatabaseGroup: databaseRules(settingsOf(e).Database),
		markEndpointGroup: {{from: 443, to: 443, group: markStackGroup}},
	}
}

// databaseRules are who reaches the database servers: stacks, and where account databases are made
// over a connection who makes them.
func databaseRules(d target.AWSDatabase) []rule {
	rules := []rule{{from: postgresPort, to: postgresPort, group: markStackGroup}}
	if d.Access == target.AccessDirect && len(d.CIDRs) == 0 {
		rules = append(rules, rule{from: postgresPort, to: postgresPort, fact: factBlocks})
	}
	for _, b := range d.CIDRs {
		rules = append(rules, rule{from: postgresPort, to: postgresPort, block: b})
	}
	return rules
}

// entranceRules are who reaches the load balancer. What runs in the VPC, such as a test suite,
// reaches one that faces the internet from the addresses of the NAT gateways.
func entranceRules(e target.Environment, l layout) []rule {
	a := settingsOf(e)
	within := []rule{{fact: factBlocks}}
	for zone := range l.gateways {
		within = append(within, rule{fact: factAddress(zone)})
	}
	from := func(port int, blocks []string) []rule {
		var all []rule
		for _, r := range within {
			all = append(all, rule{from: int32(port), to: int32(port), fact: r.fact})
		}
		for _, b := range blocks {
			all = append(all, rule{from: int32(port), to: int32(port), block: b})
		}
		return all
	}
	https := func(port int) []rule {
		if !a.Restricted() {
			return []rule{{from: int32(port), to: int32(port), block: everywhere}}
		}
		return from(port, a.CIDRs)
	}
	// Port 80 answers with a redirect only.
	return slices.Concat(https(80), https(e.Network.HTTPSPort), from(e.Network.PreviewPort, a.PreviewCIDRs))
}

// groups are the security groups, each with what it lets in. The order is that of what they
// refer to.
func (n *noun) groups(e target.Environment, l layout) []thing {
	var all []thing
	marks := []string{markBalancerGroup, markStackGroup, markDatabaseGroup}
	if l.endpoints {
		marks = append(marks, markEndpointGroup)
	}
	for _, mark := range marks {
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
			d, err := n.compareRules(ctx, id, rules)
			if err != nil {
				return nil, err
			}
			return d.words(id), nil
		},
		delete: func(ctx context.Context, id string) error {
			_, err := c.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
			return gone(err, "InvalidGroup.NotFound")
		},
	}
}

// rulesDrift is how a security group differs from what it should be: the permissions that it lacks,
// the ids of the rules that it has too many, and whether what is in it can't reach everything.
type rulesDrift struct {
	missing []types.IpPermission
	surplus []string
	closed  bool
}

func (d rulesDrift) words(id string) []string {
	var drift []string
	if len(d.missing)+len(d.surplus) > 0 {
		drift = append(drift, fmt.Sprintf("security group %s lacks %d rules and has %d too many", id, len(d.missing), len(d.surplus)))
	}
	if d.closed {
		drift = append(drift, fmt.Sprintf("security group %s does not let everything out", id))
	}
	return drift
}

// outward is what every group lets out, as EC2 makes it.
func outward() []types.IpPermission {
	return []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String(everywhere)}}}}
}

// putRules lets in what is missing and shuts out what was let in by somebody else.
func (n *noun) putRules(ctx context.Context, id string, rules []rule) error {
	d, err := n.compareRules(ctx, id, rules)
	if err != nil {
		return err
	}
	if d.closed {
		if _, err := n.clients.ec2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &id, IpPermissions: outward()}); gone(err, "InvalidPermission.Duplicate") != nil {
			return err
		}
	}
	if len(d.surplus) > 0 {
		if _, err := n.clients.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: d.surplus}); gone(err, "InvalidSecurityGroupRuleId.NotFound") != nil {
			return err
		}
	}
	if len(d.missing) == 0 {
		return nil
	}
	_, err = n.clients.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: d.missing})
	return gone(err, "InvalidPermission.Duplicate")
}

// compareRules says how a group differs from what it should be.
func (n *noun) compareRules(ctx context.Context, id string, rules []rule) (rulesDrift, error) {
	filter := "group-id"
	rules = n.resolved(rules)
	var has []rule
	d := rulesDrift{closed: true}
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(n.clients.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: &filter, Values: n.beside("group-", id)}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return d, err
		}
		for _, r := range page.SecurityGroupRules {
			switch {
			case text(r.GroupId) != id:
				continue
			case aws.ToBool(r.IsEgress):
				d.closed = d.closed && (text(r.IpProtocol) != "-1" || text(r.CidrIpv4) != everywhere)
				continue
			}
			seen := rule{from: aws.ToInt32(r.FromPort), to: aws.ToInt32(r.ToPort), block: text(r.CidrIpv4)}
			if r.ReferencedGroupInfo != nil {
				seen.group = text(r.ReferencedGroupInfo.GroupId)
			}
			if !slices.Contains(rules, seen) || text(r.IpProtocol) != "tcp" {
				d.surplus = append(d.surplus, text(r.SecurityGroupRuleId))
			}
			has = append(has, seen)
		}
	}
	for _, r := range rules {
		if slices.Contains(has, r) {
			continue
		}
		p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: &r.from, ToPort: &r.to}
		if r.group != "" {
			p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.group}}
		} else {
			p.IpRanges = []types.IpRange{{CidrIp: &r.block}}
		}
		d.missing = append(d.missing, p)
	}
	return d, nil
}

// resolved are rules with blocks and ids in place of facts and marks, each once.
func (n *noun) resolved(rules []rule) []rule {
	var all []rule
	add := func(r rule) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	for _, r := range rules {
		if r.group != "" {
			r.group = n.fact(r.group)
		}
		if r.fact == "" {
			add(r)
			continue
		}
		for _, block := range n.factList(r.fact) {
			add(rule{from: r.from, to: r.to, block: block})
		}
	}
	return all
}
