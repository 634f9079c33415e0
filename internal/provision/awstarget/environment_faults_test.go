package awstarget_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestAnEnvironmentSurvivesEveryFault lets each call of a create, of a change, and of a destroy fail once
// in each way, repeats it until it succeeds, and counts what is there. The networks and the changes take
// turns; with SLIPWAY_ACC_ROUNDS each fault meets all changes.
func TestAnEnvironmentSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for fault, c := range map[awstest.Fault]struct {
		in    network
		first int // of the shapes
	}{
		awstest.FailBefore: {withNAT, 2}, awstest.FailAfter: {withoutNAT, 0}, awstest.Throttle: {givenOne, 0}, awstest.Expire: {withoutNAT, 1}, awstest.Interrupt: {withNAT, 1},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			r := l.try(t, wait.NewFake(time.Now()), time.Second)
			if _, err := r.PutRegion(t.Context(), eu, mine); err != nil {
				t.Fatal(err)
			}
			shapes, before := c.in.shapes(t, l), l.built(t, home)
			done := func(want map[string]int, do func(context.Context) error) {
				t.Helper()
				if err := r.untilAllDone(t.Context(), fault, do); err != nil {
					t.Fatal(err)
				}
				if got, want := words(l.built(t, home)), words(want); got != want {
					t.Errorf("there is %s\nwant %s", got, want)
				}
			}
			changes := 1
			if os.Getenv("SLIPWAY_ACC_ROUNDS") != "" {
				changes = len(shapes)
			}
			for n := range changes + 1 {
				s := shapes[(c.first+n)%len(shapes)]
				done(s.want, func(ctx context.Context) error {
					return second(r.PutEnvironment(ctx, s.Environment, target.PutOptions{Owner: "me", IfGeneration: int64(n)}))
				})
				rec, err := r.GetEnvironment(t.Context(), s.ID())
				if err != nil || !rec.Meta.Ready || rec.Meta.Problem != "" || rec.Status.DatabaseHost == "" {
					t.Errorf("ready %t, problem %q, status %+v, error %v", rec.Meta.Ready, rec.Meta.Problem, rec.Status, err)
				}
			}
			done(before, func(ctx context.Context) error { return r.provisioner().DeleteEnvironment(ctx, shapes[0].ID()) })
		})
	}
}

// shape is a definition of an environment, with what there is then.
type shape struct {
	target.Environment
	want map[string]int
}

// shapes are what an environment in a network is changed to in turn: a small one, one with more of
// everything at another domain, and the small one with a certificate that is given.
func (n network) shapes(t *testing.T, l *lab) []shape {
	t.Helper()
	certificate := l.given(t)
	small := shape{environment(t, eu.Name, "production"), map[string]int{
		"certificate": 2, "cluster": 1, "dashboard": 1, "database cluster": 1, "database instance": 1, "database parameter group": 1, "database subnet group": 1,
		"listener": 3, "load balancer": 1, "log group": 3, "record": 5, "role": 2, "secret": 1, "zone": 1,
	}}
	n.set(t, l, small.AWS)
	maps.Copy(small.want, n.want)
	changed := func(a target.AWS, want map[string]int) shape {
		s := shape{small.Environment, maps.Clone(small.want)}
		s.AWS = &a
		maps.Copy(s.want, want)
		maps.DeleteFunc(s.want, func(_ string, n int) bool { return n == 0 })
		return s
	}
	more, given := *small.AWS, *small.AWS
	more.NAT, given.CertificateARN = n.moreNAT, certificate
	more.CIDRs, more.PreviewCIDRs, more.ProbeImage = []string{"198.51.100.0/24"}, []string{"203.0.113.0/24"}, "registry.example.com/curl:1"
	more.Database.MinCapacity, more.Database.MaxCapacity, more.Database.Instances, more.Database.BackupDays = 1, 8, 2, 3
	large := changed(more, n.more)
	large.want["database instance"] = 2
	large.DomainName, large.Tags = "another.example.com", map[string]string{"team": "another"}
	return []shape{small, large, changed(given, map[string]int{"certificate": 1, "record": 4})}
}

// network is one that an environment may be in, with what it is made of.
type network struct {
	set  func(*testing.T, *lab, *target.AWS)
	want map[string]int
	// moreNAT is another way to the outside, and more what is different then.
	moreNAT string
	more    map[string]int
}

var (
	withNAT = network{
		func(_ *testing.T, _ *lab, a *target.AWS) { a.VPCBlock = "100.64.16.0/24" },
		map[string]int{"address": 1, "endpoint": 1, "gateway": 1, "nat": 1, "route table": 4, "security group": 3, "subnet": 6, "vpc": 1},
		target.NATPerZone, map[string]int{"address": 2, "nat": 2},
	}
	withoutNAT = network{
		func(_ *testing.T, _ *lab, a *target.AWS) { a.NAT = target.NATNone },
		map[string]int{"endpoint": 5, "gateway": 1, "route table": 4, "security group": 4, "subnet": 6, "vpc": 1},
		target.NATSingle, map[string]int{"address": 1, "endpoint": 1, "nat": 1, "security group": 3},
	}
	givenOne = network{
		set: func(t *testing.T, l *lab, a *target.AWS) {
			a.NAT, a.Zones, a.Internal, a.VPC = "", 0, true, l.network(t)
		},
		want: map[string]int{"security group": 3},
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
