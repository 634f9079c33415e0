package awstarget_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
	l.keepsAccountItFound(t, r, e)
	l.keepsWhatItFound(t, r, e)
}

// keepsAccountItFound loses the row of an account database, and lets a put of it fail. That it was made by the
// put is not said, and its end leaves a snapshot behind.
func (l *lab) keepsAccountItFound(t *testing.T, r *trial, e target.Environment) {
	t.Helper()
	spec := database(e.ID(), "acme")
	spec.SkipFinalSnapshot, spec.DeletionProtection = true, false
	if _, err := r.PutAccountDatabase(t.Context(), spec, mine); err != nil {
		t.Fatal(err)
	}
	s := &spoiler{t.Context(), l, t}
	s.do(s.dynamodb(home).DeleteItem(s.ctx, &dynamodb.DeleteItemInput{TableName: control(s.ctx, l), Key: map[string]types.AttributeValue{
		"kind": &types.AttributeValueMemberS{Value: "database/" + e.Name}, "id": &types.AttributeValueMemberS{Value: "acme"},
	}}))
	r.calls.FailOnce(awstest.FailAfter)
	for begun := false; !begun; {
		_, err := r.PutAccountDatabase(t.Context(), spec, mine)
		if made := new(target.MadeError); err == nil || errors.As(err, &made) {
			t.Fatalf("what was there is put as made, or without an error (%v)", err)
		}
		rec, err := r.GetAccountDatabase(target.RecordsOnly(t.Context()), spec.ID())
		begun = err == nil && !rec.Meta.Ready
	}
	r.calls.FailAt(0, awstest.FailBefore)
	if err := r.DeleteAccountDatabase(t.Context(), spec.ID()); err != nil {
		t.Fatal(err)
	}
	if n := len(l.snapshots(t)); n != 1 {
		t.Errorf("%d snapshots of an account's database are left, want one", n)
	}
}

// keepsWhatItFound loses all rows of a region, and puts what has no row any more. That it was made by the put
// is not said, and its end leaves a snapshot behind.
func (l *lab) keepsWhatItFound(t *testing.T, r *trial, e target.Environment) {
	t.Helper()
	s := &spoiler{t.Context(), l, t}
	s.loseControl()()
	made := new(target.MadeError)
	if _, err := r.PutEnvironment(t.Context(), e, mine); !errors.Is(err, target.ErrForeign) || errors.As(err, &made) { // its names
		t.Errorf("what was there is put with error %v, want %q, and not as made", err, target.ErrForeign)
	}
	said, err := r.GetEnvironment(target.RecordsOnly(t.Context()), e.ID())
	if err != nil {
		t.Fatal(err)
	}
	r.calls.FailAt(0, awstest.FailBefore)
	if err := r.DeleteEnvironment(t.Context(), e.ID()); err != nil {
		t.Fatal(err)
	}
	for _, call := range r.calls.Sent() {
		if call.Operation == "DeleteDBCluster" && (call.Form.Get("DeleteAutomatedBackups") != "false" || call.Form.Get("FinalDBSnapshotIdentifier") == "") {
			t.Errorf("the database is removed with %v", call.Form)
		}
	}
	left, named := l.snapshots(t), 0
	for name := range left {
		if strings.Contains(said.Leaves, `"`+name[:strings.LastIndex(name, "-")+1]+`"`) {
			named++
		}
	}
	if len(left) != 2 || named != 1 {
		t.Errorf("%d snapshots are left, want the account's and the environment's; it was said that there would be %s", len(left), said.Leaves)
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
