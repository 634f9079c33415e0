package awstest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

// networks refuses to remove security groups and subnets that something is in, or that another
// group's rule names: DeleteSecurityGroup and DeleteSubnet, DependencyViolation. It also refuses rules
// of which one is there already, all of them, where moto adds those before it:
// AuthorizeSecurityGroupIngress and …Egress, InvalidPermission.Duplicate.
type networks struct {
	*cloud
	fleet *fleet
}

func (n *networks) piece(c Call, _ http.Handler) http.Handler {
	switch {
	case c.Service != "ec2":
		return nil
	case c.Operation == "AuthorizeSecurityGroupIngress" || c.Operation == "AuthorizeSecurityGroupEgress":
		return n.duplicate(c)
	case c.Operation != "DeleteSecurityGroup" && c.Operation != "DeleteSubnet":
		return nil
	}
	id, user := c.Form.Get("GroupId"), ""
	var err error
	if c.Operation == "DeleteSubnet" {
		id = c.Form.Get("SubnetId")
	} else {
		user, err = n.referring(n.running, c.Region, id)
	}
	if err == nil && user == "" {
		user, err = n.within(n.running, c.Region, id)
	}
	if err == nil && user == "" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err == nil {
			err = refuse("DependencyViolation", "resource %s has a dependent object: %s", id, user)
		}
		c.send(w, nil, err)
	})
}

// within names something that is in a security group or subnet.
func (n *networks) within(ctx context.Context, region, id string) (string, error) {
	if user := n.fleet.within(id); user != "" {
		return user, nil
	}
	balancers, err := elb.NewFromConfig(n.config(region)).DescribeLoadBalancers(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, b := range balancers.LoadBalancers {
		in := slices.Clone(b.SecurityGroups)
		for _, z := range b.AvailabilityZones {
			in = append(in, aws.ToString(z.SubnetId))
		}
		if slices.Contains(in, id) {
			return aws.ToString(b.LoadBalancerArn), nil
		}
	}
	clusters, err := rds.NewFromConfig(n.config(region)).DescribeDBClusters(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, c := range clusters.DBClusters {
		for _, g := range c.VpcSecurityGroups {
			if aws.ToString(g.VpcSecurityGroupId) == id {
				return aws.ToString(c.DBClusterArn), nil
			}
		}
	}
	return "", nil
}

// referring names another security group with a rule about this one.
func (n *networks) referring(ctx context.Context, region, id string) (string, error) {
	groups, err := ec2.NewFromConfig(n.config(region)).DescribeSecurityGroups(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, g := range groups.SecurityGroups {
		if aws.ToString(g.GroupId) == id {
			continue
		}
		for _, p := range append(slices.Clone(g.IpPermissions), g.IpPermissionsEgress...) {
			if slices.ContainsFunc(p.UserIdGroupPairs, func(pair ec2types.UserIdGroupPair) bool { return aws.ToString(pair.GroupId) == id }) {
				return aws.ToString(g.GroupId), nil
			}
		}
	}
	return "", nil
}

// within names a task that is in a security group or subnet.
func (f *fleet) within(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tasks {
		if !t.stopped() && (slices.Contains(t.network.groups, id) || slices.Contains(t.network.subnets, id)) {
			return aws.ToString(t.TaskArn)
		}
	}
	return ""
}

// duplicate refuses rules of which one is there already, by protocol, ports and who is let through.
func (n *networks) duplicate(c Call) http.Handler {
	const most = 60 // rules of a group
	out, err := ec2.NewFromConfig(n.config(c.Region)).DescribeSecurityGroupRules(n.running, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{c.Form.Get("GroupId")}}},
	})
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w, nil, err) })
	}
	has := map[string]bool{}
	for _, r := range out.SecurityGroupRules {
		if aws.ToBool(r.IsEgress) == (c.Operation == "AuthorizeSecurityGroupEgress") {
			peer := aws.ToString(r.CidrIpv4)
			if r.ReferencedGroupInfo != nil {
				peer = aws.ToString(r.ReferencedGroupInfo.GroupId)
			}
			has[strings.Join([]string{aws.ToString(r.IpProtocol), port(r.FromPort), port(r.ToPort), peer}, " ")] = true
		}
	}
	for i := range most {
		permission := fmt.Sprintf("IpPermissions.%d.", i+1)
		for _, name := range []string{"IpRanges.1.CidrIp", "Groups.1.GroupId"} {
			peer := c.Form.Get(permission + name)
			is := strings.Join([]string{c.Form.Get(permission + "IpProtocol"), c.Form.Get(permission + "FromPort"), c.Form.Get(permission + "ToPort"), peer}, " ")
			if peer != "" && has[is] {
				err := refuse("InvalidPermission.Duplicate", "the specified rule %q already exists", is)
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w, nil, err) })
			}
		}
	}
	return nil
}

// port is one of a rule as a form has it, "" for that of every protocol.
func port(p *int32) string {
	if p == nil || *p == -1 {
		return ""
	}
	return strconv.Itoa(int(*p))
}
