package awstarget_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestAChangeThatWasBrokenOffCanBeTakenBack breaks a change of the domain, one to a certificate that is
// given, and one to a network without gateways off in their middle, and goes back to what was before: what
// was to be removed is what is wanted again. So is what has been removed: a name is free as soon as what had
// it is gone. The names are such as AWS does not take for everything: of a load balancer none begins with
// "internal-", and RDS takes no two hyphens in a row. Without SLIPWAY_ACC_ROUNDS only the domain is changed.
func TestAChangeThatWasBrokenOffCanBeTakenBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	within, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // who waits for what never ends
	defer cancel()
	clock := wait.NewFake(time.Now())
	r := l.try(t, clock, 10*time.Second)
	region := eu
	region.Name = "internal"
	if _, err := r.PutRegion(t.Context(), region, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, region.Name, "a--b")
	put := func(ctx context.Context, r *trial, e target.Environment, generation int64) error {
		return second(r.PutEnvironment(ctx, e, target.PutOptions{Owner: "me", IfGeneration: generation}))
	}
	if err := put(within, r, e, 0); err != nil {
		t.Fatal(err)
	}
	certificate, given := l.shown(t)[0], l.given(t)
	before := words(l.built(t, home))
	generation := int64(1)
	changes := []struct {
		name, fatal string
		change      func(*target.Environment)
	}{
		{"another domain", "ModifyListener", func(e *target.Environment) { e.DomainName = "another.example.com" }},
		{"a certificate that is given", "ModifyListener", func(e *target.Environment) { e.AWS.CertificateARN = given }},
		{"no gateways", "DeleteNatGateway", func(e *target.Environment) { e.AWS.NAT = target.NATNone }},
	}
	if os.Getenv("SLIPWAY_ACC_ROUNDS") == "" {
		changes = changes[:1]
	}
	for _, c := range changes {
		changed, settings := e, *e.AWS
		changed.AWS = &settings
		c.change(&changed)
		ctx, cancel := context.WithCancel(within)
		killed := l.try(t, clock, 10*time.Second)
		killed.calls.DieWith(func(call awstest.Call) bool { return call.Operation == c.fatal }, cancel)
		err := put(ctx, killed, changed, generation)
		cancel()
		if err == nil || !killed.calls.Dead() {
			t.Errorf("%s: it was not broken off: %v", c.name, err)
		}
		generation++
		if err := put(within, r, e, generation); err != nil {
			t.Errorf("%s: back: %v", c.name, err)
		}
		rec, err := r.GetEnvironment(t.Context(), e.ID())
		if generation = rec.Meta.Generation; err != nil || rec.Meta.Problem != "" {
			t.Errorf("%s: after it the environment is at generation %d, and %q (%v)", c.name, generation, rec.Meta.Problem, err)
		}
		for _, shown := range l.shown(t) {
			if shown != certificate {
				t.Errorf("%s: after it certificate %s is shown, not %s", c.name, shown, certificate)
			}
		}
		if got := words(l.built(t, home)); got != before {
			t.Errorf("%s: after it there is %s\nwant %s", c.name, got, before)
		}
	}
	if err := r.DeleteEnvironment(within, e.ID()); err != nil {
		t.Error(err)
	}
	if err := put(within, r, e, 0); err != nil {
		t.Error(err)
	}
}

// given is a certificate of somebody else's.
func (l *lab) given(t *testing.T) string {
	t.Helper()
	s := &spoiler{t.Context(), l, t}
	made := s.must(s.acm().RequestCertificate(s.ctx, &acm.RequestCertificateInput{DomainName: aws.String("given.example.com"), ValidationMethod: acmtypes.ValidationMethodDns})).(*acm.RequestCertificateOutput)
	return aws.ToString(made.CertificateArn)
}

// shown are the certificates of the account's entrances.
func (l *lab) shown(t *testing.T) []string {
	t.Helper()
	s := &spoiler{t.Context(), l, t}
	listeners := s.must(s.elb().DescribeListeners(s.ctx, &elb.DescribeListenersInput{LoadBalancerArn: s.balancer()})).(*elb.DescribeListenersOutput)
	var all []string
	for _, entrance := range listeners.Listeners {
		for _, c := range entrance.Certificates {
			all = append(all, aws.ToString(c.CertificateArn))
		}
	}
	return all
}
