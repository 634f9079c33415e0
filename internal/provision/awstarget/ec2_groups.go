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

// groupRules are what each security group lets through. What nobody needs is not let in, and nothing
// but stacks asks anybody else: a load balancer asks stacks only, and database servers and endpoints
// answer. An answer needs no rule.
func groupRules(e target.Environment, l layout) map[string][]rule {
	return map[string][]rule{
		markBalancerGroup: append(entranceRules(e, l), rule{out: true, to: lastPort, group: markStackGroup}),
		markStackGroup:    {{to: lastPort, group: markBalancerGroup}, outward},
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

// maxRules is how many rules a security group has each way ("Amazon VPC quotas"). An AWS account may have been
// given more, which only Service Quotas tells.
const maxRules = 60

// waysIn counts the rules of an environment's security groups for what comes in, where the VPC has so many blocks.
func waysIn(e target.Environment, blocks int) map[string]int {
	ways := map[string]int{}
	for mark, rules := range groupRules(e, layoutOf(e)) {
		for _, r := range rules {
			switch {
			case r.out:
			case r.fact == factBlocks:
				ways[mark] += blocks
			default:
				ways[mark]++
			}
		}
	}
	return ways
}

// crowded doubts that security groups have room for more rules than they have so far, where the VPC has so many
// blocks.
func (s site) crowded(blocks int) target.Faults {
	a, ways, was := s.settings, waysIn(s.of, blocks), map[string]int{}
	if s.stands != nil {
		was = waysIn(s.was, blocks)
	}
	const says = "the security group of %s would have %d rules for what comes in, and AWS allows %d where the AWS account was not given more (%q): %s. Where it was not, the apply fails: name fewer and larger blocks, or ask AWS for more first"
	const quotas = "Amazon VPC quotas"
	var all target.Faults
	for _, g := range []struct{ mark, path, what, each string }{
		{markBalancerGroup, "aws.cidr_blocks", "the load balancer", "each of cidr_blocks takes two, each of preview_cidr_blocks one"},
		{markDatabaseGroup, "aws.database.cidr_blocks", "database servers", "each of cidr_blocks takes one"},
	} {
		if g.mark == markBalancerGroup && len(a.PreviewCIDRs) > 2*len(a.CIDRs) {
			g.path = "aws.preview_cidr_blocks"
		}
		if n := ways[g.mark]; n > max(maxRules, was[g.mark]) {
			all = append(all, target.Fault{Path: g.path, Message: fmt.Sprintf(says, g.what, n, maxRules, quotas, g.each), Doubtful: true})
		}
	}
	return all
}

// groupsPart is the security groups. Those of the load balancer and of stacks name each other: each
// gets its rules when all are there, and the load balancer's lose theirs before any of them goes.
func (n *noun) groupsPart(e target.Environment, l layout) part {
	marks := []string{markBalancerGroup, markStackGroup, markDatabaseGroup}
	if l.endpoints {
		marks = append(marks, markEndpointGroup)
	}
	rules := groupRules(e, l)
	var all []thing
	for _, mark := range marks {
		all = append(all, n.group(mark, rules[mark]))
	}
	p := n.thingsPart(partGroups, []string{partVPC, partAddresses}, all...)
	p.put = func(ctx context.Context) error {
		err := n.putThings(ctx, all)
		for _, mark := range marks {
			if err == nil {
				what := "the rules of security group " + n.fact(mark)
				err = failed(n.recognised(ctx, what, unknown, func(ctx context.Context) error { return n.putRules(ctx, n.fact(mark), rules[mark]) }), "set %s", what)
			}
		}
		return err
	}
	p.delete = func(ctx context.Context) error {
		if id := n.fact(markBalancerGroup); id != "" {
			if err := n.putRules(ctx, id, nil); err != nil {
				return failed(err, "remove the rules of security group %s", id)
			}
		}
		return n.removeThings(ctx, all)
	}
	return p
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
				all = append(all, found{id: text(g.GroupId), state: available, tags: ec2Tags(g.Tags)})
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
