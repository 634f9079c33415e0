package awstest

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

// networks refuses to remove security groups and subnets that something is in, or that another
// group's rule names: DeleteSecurityGroup and DeleteSubnet, DependencyViolation.
type networks struct {
	*cloud
	fleet *fleet
}

func (n *networks) piece(c Call, _ http.Handler) http.Handler {
	if c.Service != "ec2" || c.Operation != "DeleteSecurityGroup" && c.Operation != "DeleteSubnet" {
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
