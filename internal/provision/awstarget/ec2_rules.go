package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// rule is one thing that a security group lets in, or out. One of block, fact and group is set.
type rule struct {
	out bool
	// all says that it is of every protocol and port, else it is of TCP.
	all      bool
	from, to int32
	block    string
	fact     string // a fact that holds blocks
	group    string // the mark of another group
}

const (
	lastPort = 65535
	// everyProtocol is what EC2 calls all of them.
	everyProtocol = "-1"
)

// outward lets everything out, as EC2 has it in each group that it makes.
var outward = rule{out: true, all: true, block: everywhere}

// permission is a rule as EC2 has it.
func (r rule) permission() types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: &r.from, ToPort: &r.to}
	if r.all {
		p = types.IpPermission{IpProtocol: aws.String(everyProtocol)}
	}
	if r.group != "" {
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.group}}
	} else {
		p.IpRanges = []types.IpRange{{CidrIp: &r.block}}
	}
	return p
}

// seenRule is a rule that EC2 has. What a rule can't be, of another protocol or for IPv6, is known as
// false.
func seenRule(r types.SecurityGroupRule) (seen rule, known bool) {
	seen = rule{out: aws.ToBool(r.IsEgress), block: text(r.CidrIpv4)}
	if r.ReferencedGroupInfo != nil {
		seen.group = text(r.ReferencedGroupInfo.GroupId)
	}
	switch text(r.IpProtocol) {
	case everyProtocol:
		seen.all = true
	case "tcp":
		seen.from, seen.to = aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort)
	default:
		return seen, false
	}
	return seen, seen.block != "" || seen.group != ""
}

// rulesDrift is how a security group differs from what it should be: the rules that it lacks, and
// the ids of those that it has too many, of what comes in and of what goes out.
type rulesDrift struct {
	missing, missingOut []types.IpPermission
	surplus, surplusOut []string
	// lacks and others are the same as people read them.
	lacks, others []string
}

func (d rulesDrift) words(id string) []string {
	var all []string
	if len(d.lacks) > 0 {
		all = append(all, fmt.Sprintf("security group %s does not let %s", id, some(d.lacks)))
	}
	if len(d.others) > 0 {
		all = append(all, fmt.Sprintf("security group %s lets %s, which it should not", id, some(d.others)))
	}
	return all
}

// some are the first of many words, in order.
func some(all []string) string {
	const most = 5
	slices.Sort(all)
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// ruleWords are a rule as people read it, such as "in tcp 443 from 192.0.2.0/24".
func ruleWords(out bool, protocol string, from, to int32, peer string) string {
	way, end := "in", "from"
	if out {
		way, end = "out", "to"
	}
	ports := fmt.Sprintf(" %d", from)
	switch {
	case protocol == everyProtocol:
		protocol, ports = "everything", ""
	case to != from:
		ports = fmt.Sprintf(" %d-%d", from, to)
	}
	return fmt.Sprintf("%s %s%s %s %s", way, protocol, ports, end, peer)
}

// words are a rule that is wanted.
func (r rule) words() string {
	p := r.permission()
	return ruleWords(r.out, text(p.IpProtocol), aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort), r.block+r.group)
}

// seenWords are a rule that EC2 has.
func seenWords(r types.SecurityGroupRule) string {
	peer := text(r.CidrIpv4) + text(r.CidrIpv6) + text(r.PrefixListId)
	if r.ReferencedGroupInfo != nil {
		peer += text(r.ReferencedGroupInfo.GroupId)
	}
	return ruleWords(aws.ToBool(r.IsEgress), text(r.IpProtocol), aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort), peer)
}

// putRules lets through what is missing, and no more what somebody else, or EC2 itself, let through.
func (n *noun) putRules(ctx context.Context, id string, rules []rule) error {
	all, out := n.resolved(rules), 0
	for _, r := range all {
		if r.out {
			out++
		}
	}
	d, err := n.compareRules(ctx, id, rules)
	if err == nil {
		err = n.putWay(ctx, id, true, out, d.missingOut, d.surplusOut)
	}
	if err == nil {
		err = n.putWay(ctx, id, false, len(all)-out, d.missing, d.surplus)
	}
	return err
}

// putWay does so for ways out, or for ways in, of which there are so many in all. What is missing comes before the
// rest goes, so that nobody is cut off meanwhile, or where it fails; but where there is room for one of them only.
func (n *noun) putWay(ctx context.Context, id string, out bool, all int, missing []types.IpPermission, surplus []string) error {
	err := n.authorise(ctx, id, out, missing)
	fit := all <= maxRules || len(missing) <= len(surplus)
	if coded(err, "RulesPerSecurityGroupLimitExceeded") && len(surplus) > 0 && fit {
		if err = n.revoke(ctx, id, out, surplus); err == nil {
			err = n.authorise(ctx, id, out, missing)
		}
		return err
	}
	if err == nil {
		err = n.revoke(ctx, id, out, surplus)
	}
	return err
}

// authorise lets something through. Where one of several rules is there already, AWS adds none of them:
// then each is sent by itself.
func (n *noun) authorise(ctx context.Context, id string, out bool, missing []types.IpPermission) error {
	if len(missing) == 0 {
		return nil
	}
	var err error
	if out {
		_, err = n.clients.ec2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &id, IpPermissions: missing})
	} else {
		_, err = n.clients.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: missing})
	}
	if !coded(err, errDuplicateRule) || len(missing) == 1 {
		return gone(err, errDuplicateRule)
	}
	for _, one := range missing {
		if err := n.authorise(ctx, id, out, []types.IpPermission{one}); err != nil {
			return err
		}
	}
	return nil
}

const errDuplicateRule = "InvalidPermission.Duplicate"

// revoke lets something through no more.
func (n *noun) revoke(ctx context.Context, id string, out bool, surplus []string) error {
	if len(surplus) == 0 {
		return nil
	}
	var err error
	if out {
		_, err = n.clients.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &id, SecurityGroupRuleIds: surplus})
	} else {
		_, err = n.clients.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: surplus})
	}
	return gone(err, "InvalidSecurityGroupRuleId.NotFound")
}

// compareRules says how a group differs from what it should be. Where everything is let out, what
// else is let out makes no difference.
func (n *noun) compareRules(ctx context.Context, id string, rules []rule) (rulesDrift, error) {
	filter := "group-id"
	rules = n.resolved(rules)
	var d rulesDrift
	var has []rule
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(n.clients.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: &filter, Values: n.beside("group-", id)}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return d, err
		}
		for _, r := range page.SecurityGroupRules {
			if text(r.GroupId) != id {
				continue
			}
			seen, known := seenRule(r)
			switch {
			case known && slices.Contains(rules, seen):
				has = append(has, seen)
			case !seen.out:
				d.surplus, d.others = append(d.surplus, text(r.SecurityGroupRuleId)), append(d.others, seenWords(r))
			case !slices.Contains(rules, outward):
				d.surplusOut, d.others = append(d.surplusOut, text(r.SecurityGroupRuleId)), append(d.others, seenWords(r))
			}
		}
	}
	for _, r := range rules {
		switch {
		case slices.Contains(has, r):
			continue
		case r.out:
			d.missingOut = append(d.missingOut, r.permission())
		default:
			d.missing = append(d.missing, r.permission())
		}
		d.lacks = append(d.lacks, r.words())
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
			r.block, r.fact = block, ""
			add(r)
		}
	}
	return all
}
