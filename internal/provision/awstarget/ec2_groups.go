package awstarget

import (
	"context"
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

// maxWaysIn is how many rules a security group has for what comes in ("Amazon VPC quotas"). An AWS account may
// have been given more, which only Service Quotas tells.
const maxWaysIn = 60

// crowded refuses more blocks than security groups have room for, where the VPC has so many.
func crowded(e target.Environment, blocks int) target.Faults {
	a, ways := settingsOf(e), map[string]int{}
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
	const says = "the security group of %s would have %d rules for what comes in, and AWS allows %d (%q): %s. Name fewer and larger blocks"
	const quotas = "Amazon VPC quotas"
	var all target.Faults
	if n := ways[markBalancerGroup]; n > maxWaysIn {
		path := "aws.cidr_blocks"
		if len(a.PreviewCIDRs) > 2*len(a.CIDRs) {
			path = "aws.preview_cidr_blocks"
		}
		all = fault(path, says, "the load balancer", n, maxWaysIn, quotas, "each of cidr_blocks takes two, each of preview_cidr_blocks one")
	}
	if n := ways[markDatabaseGroup]; n > maxWaysIn {
		all = append(all, fault("aws.database.cidr_blocks", says, "database servers", n, maxWaysIn, quotas, "each of cidr_blocks takes one")...)
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
