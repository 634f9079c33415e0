package awstarget_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestAnEnvironmentSurvivesEveryFault lets each call of a create, of a move to another domain, and
// of a destroy fail once in each way, repeats it until it succeeds, and counts what is there. The
// networks take turns.
func TestAnEnvironmentSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for fault, n := range map[awstest.Fault]network{
		awstest.FailBefore: withNAT, awstest.FailAfter: withoutNAT, awstest.Throttle: givenOne, awstest.Expire: withoutNAT, awstest.Interrupt: withNAT,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			r := l.try(t, wait.NewFake(time.Now()), time.Second)
			if _, err := r.PutRegion(t.Context(), eu, mine); err != nil {
				t.Fatal(err)
			}
			e := environment(t, eu.Name, "production")
			n.set(t, l, e.AWS)
			before := words(l.built(t, home))
			done := func(want string, do func(context.Context) error) {
				t.Helper()
				if err := r.untilAllDone(t.Context(), fault, do); err != nil {
					t.Fatal(err)
				}
				if got := words(l.built(t, home)); got != want {
					t.Errorf("there is %s\nwant %s", got, want)
				}
			}
			whole := func() {
				t.Helper()
				rec, err := r.GetEnvironment(t.Context(), e.ID())
				if err != nil || !rec.Meta.Ready || rec.Meta.Problem != "" || rec.Status.DatabaseHost == "" {
					t.Errorf("ready %t, problem %q, status %+v, error %v", rec.Meta.Ready, rec.Meta.Problem, rec.Status, err)
				}
			}
			done(n.want, func(ctx context.Context) error { return second(r.PutEnvironment(ctx, e, mine)) })
			whole()
			e.DomainName = "another.example.com"
			done(n.want, func(ctx context.Context) error { return second(r.PutEnvironment(ctx, e, again)) })
			whole()
			done(before, func(ctx context.Context) error { return r.provisioner().DeleteEnvironment(ctx, e.ID()) })
		})
	}
}

// network is one that an environment may be in, with what there is then.
type network struct {
	want string
	set  func(*testing.T, *lab, *target.AWS)
}

var (
	withNAT = network{
		"[1 address 1 certificate 1 cluster 1 dashboard 1 database cluster 1 database instance 1 database parameter group 1 database subnet group 1 endpoint 1 gateway 1 load balancer 1 nat 1 secret 1 vpc 1 zone 2 role 3 listener 3 log group 3 security group 4 route table 5 record 6 subnet]",
		func(_ *testing.T, _ *lab, a *target.AWS) { a.VPCBlock = "100.64.16.0/24" },
	}
	withoutNAT = network{
		"[1 certificate 1 cluster 1 dashboard 1 database cluster 1 database instance 1 database parameter group 1 database subnet group 1 gateway 1 load balancer 1 secret 1 vpc 1 zone 2 role 3 listener 3 log group 4 route table 4 security group 5 endpoint 5 record 6 subnet]",
		func(_ *testing.T, _ *lab, a *target.AWS) { a.NAT = target.NATNone },
	}
	givenOne = network{
		"[1 certificate 1 cluster 1 dashboard 1 database cluster 1 database instance 1 database parameter group 1 database subnet group 1 load balancer 1 secret 1 zone 2 role 3 listener 3 log group 3 security group 5 record]",
		func(t *testing.T, l *lab, a *target.AWS) {
			a.NAT, a.Zones, a.Internal, a.VPC = "", 0, true, l.network(t)
		},
	}
)

// network makes a network as somebody else would, with two private subnets in each zone.
func (l *lab) network(t *testing.T) *target.AWSVPC {
	t.Helper()
	ctx, client := t.Context(), ec2.NewFromConfig(l.config(home))
	vpc, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("172.20.0.0/16")})
	if err == nil {
		_, err = client.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpc.Vpc.VpcId, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range 6 {
		s, err := client.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("172.20.%d.0/24", i)), AvailabilityZone: aws.String(fmt.Sprintf("%s%c", home, 'a'+i%2)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, aws.ToString(s.Subnet.SubnetId))
	}
	return &target.AWSVPC{ID: aws.ToString(vpc.Vpc.VpcId), PrivateSubnets: ids[:4], DatabaseSubnets: ids[4:]}
}
