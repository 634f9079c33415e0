package awstarget

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAGroupIsNeverShutForItsNewRules(t *testing.T) {
	t.Parallel()
	const throttled, full = "RequestLimitExceeded", "RulesPerSecurityGroupLimitExceeded"
	for _, c := range []struct {
		name    string
		out     bool
		refuse  []string // the codes of the first calls that add rules, "" for none
		there   []int32  // the ports that are there already, unseen
		more    int      // how many more rules there are to be
		want    []string
		problem string
	}{
		{"new rules come before others go", false, nil, nil, 0, []string{"add [80 443]", "revoke"}, ""},
		{"new ways out come before others go", true, nil, nil, 0, []string{"add out [80 443]", "revoke out"}, ""},
		{"nothing goes where new rules can't come", false, []string{throttled}, nil, 0, []string{"add [80 443]"}, throttled},
		{"others go first where there is no room", false, []string{full}, nil, 0, []string{"add [80 443]", "revoke", "add [80 443]"}, ""},
		{"nothing goes where there may never be room", false, []string{full}, nil, 59, []string{"add [80 443]"}, full},
		{"one that is there does not keep out the rest", false, nil, []int32{80}, 0, []string{"add [80 443]", "add [80]", "add [443]", "revoke"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var calls []string
			add := func(what string, all []types.IpPermission) error {
				var ports []int32
				there := false
				for _, p := range all[:min(2, len(all))] {
					ports = append(ports, *p.FromPort)
					there = there || slices.Contains(c.there, *p.FromPort)
				}
				calls = append(calls, fmt.Sprint(what, ports))
				if i := len(calls) - 1; i < len(c.refuse) {
					return refused(c.refuse[i])
				}
				if there {
					return refused(errDuplicateRule)
				}
				return nil
			}
			n := scripted(t, func(in any) (any, error) {
				switch in := in.(type) {
				case *ec2.DescribeSecurityGroupRulesInput:
					return &ec2.DescribeSecurityGroupRulesOutput{SecurityGroupRules: []types.SecurityGroupRule{{
						GroupId: aws.String("sg-1"), SecurityGroupRuleId: aws.String("sgr-1"), IsEgress: &c.out,
						IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIpv4: aws.String(everywhere),
					}}}, nil
				case *ec2.AuthorizeSecurityGroupIngressInput:
					return &ec2.AuthorizeSecurityGroupIngressOutput{}, add("add ", in.IpPermissions)
				case *ec2.AuthorizeSecurityGroupEgressInput:
					return &ec2.AuthorizeSecurityGroupEgressOutput{}, add("add out ", in.IpPermissions)
				case *ec2.RevokeSecurityGroupIngressInput: // somebody else was faster
					calls = append(calls, "revoke")
					return nil, refused("InvalidSecurityGroupRuleId.NotFound")
				case *ec2.RevokeSecurityGroupEgressInput:
					calls = append(calls, "revoke out")
					return &ec2.RevokeSecurityGroupEgressOutput{}, nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			rules := []rule{{out: c.out, from: 80, to: 80, block: everywhere}, {out: c.out, from: 443, to: 443, block: everywhere}}
			for i := range c.more {
				rules = append(rules, rule{from: 443, to: 443, block: fmt.Sprintf("203.0.113.%d/32", i)})
			}
			err := n.putRules(t.Context(), "sg-1", rules)
			if (err != nil) != (c.problem != "") || err != nil && !coded(err, c.problem) {
				t.Errorf("got error %v, want %q", err, c.problem)
			}
			if diff := cmp.Diff(c.want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// A group that was seen once may not be known to what gives it rules.
func TestANewGroupIsWaitedFor(t *testing.T) {
	t.Parallel()
	ids := map[string]string{markBalancerGroup: "sg-1", markStackGroup: "sg-2", markDatabaseGroup: "sg-3"}
	unknown, given := 3, 0
	var n *noun
	n = scripted(t, func(in any) (any, error) {
		switch in.(type) {
		case *ec2.DescribeSecurityGroupsInput:
			out := new(ec2.DescribeSecurityGroupsOutput)
			for mark, id := range ids {
				out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &id, Tags: tagList(n.tags(mark), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
			}
			return out, nil
		case *ec2.DescribeSecurityGroupRulesInput:
			return new(ec2.DescribeSecurityGroupRulesOutput), nil
		case *ec2.AuthorizeSecurityGroupEgressInput:
			if unknown--; unknown >= 0 {
				return nil, refused("InvalidGroup.NotFound")
			}
			return new(ec2.AuthorizeSecurityGroupEgressOutput), nil
		case *ec2.AuthorizeSecurityGroupIngressInput:
			given++
			return new(ec2.AuthorizeSecurityGroupIngressOutput), nil
		}
		return nil, fmt.Errorf("%T is not expected", in)
	})
	maps.Copy(n.facts, ids)
	e := target.Environment{Network: target.Network{HTTPSPort: 443, PreviewPort: 8443}}
	if err := n.groupsPart(e, layout{}).put(t.Context()); err != nil || given != len(ids) {
		t.Errorf("got error %v, %d groups have rules", err, given)
	}
}

// A group that has more rules than AWS gives everybody is of an account that was given more.
func TestOnlyMoreRulesThanThereAreAreDoubted(t *testing.T) {
	t.Parallel()
	e := func(n int) target.Environment {
		var blocks []string
		for i := range n {
			blocks = append(blocks, fmt.Sprintf("203.0.113.%d/32", i))
		}
		return target.Environment{Region: "eu", Name: "production", AWS: &target.AWS{PreviewCIDRs: blocks}}
	}
	for _, c := range []struct {
		was, is int // blocks; -1 where there is no environment
		doubted bool
	}{{-1, 50, false}, {-1, 70, true}, {50, 70, true}, {70, 70, false}, {70, 69, false}, {70, 71, true}} {
		s := site{of: e(c.is), settings: settingsOf(e(c.is))}
		if c.was >= 0 {
			s.stands, s.was = &noun{}, e(c.was)
		}
		faults := s.crowded(1)
		if got := len(faults) > 0; got != c.doubted || faults.Err() != nil {
			t.Errorf("%d blocks after %d: got %v", c.is, c.was, faults)
		}
	}
}
