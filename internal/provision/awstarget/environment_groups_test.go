package awstarget_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// throughGroups is what the security groups of the only environment let through, in order.
func (l *lab) throughGroups(t *testing.T) []string {
	t.Helper()
	out, err := ec2.NewFromConfig(l.config(home)).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: filter("tag:managed-by", "slipway")})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, g := range out.SecurityGroups {
		for _, tag := range g.Tags {
			if aws.ToString(tag.Key) == "slipway:part" {
				names[aws.ToString(g.GroupId)] = aws.ToString(tag.Value)
			}
		}
	}
	var all []string
	for _, g := range out.SecurityGroups {
		add := func(way string, permissions []ec2types.IpPermission) {
			for _, p := range permissions {
				what := aws.ToString(p.IpProtocol)
				if what != "-1" {
					what += fmt.Sprint(" ", aws.ToInt32(p.FromPort), "-", aws.ToInt32(p.ToPort))
				}
				for _, other := range p.UserIdGroupPairs {
					all = append(all, fmt.Sprintf("%s %s %s %s", names[aws.ToString(g.GroupId)], way, what, names[aws.ToString(other.GroupId)]))
				}
				for _, block := range p.IpRanges {
					all = append(all, fmt.Sprintf("%s %s %s %s", names[aws.ToString(g.GroupId)], way, what, aws.ToString(block.CidrIp)))
				}
			}
		}
		add("<-", g.IpPermissions)
		add("->", g.IpPermissionsEgress)
	}
	slices.Sort(all)
	return all
}
