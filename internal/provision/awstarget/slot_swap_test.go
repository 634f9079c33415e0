package awstarget_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// shop is a slot with an application, a worker, a migration and a test suite.
func shop(e target.EnvironmentID, release string) target.Slot {
	web := apps{}.Healthy()
	web.Routes = []target.Route{{Host: "shop", PathPrefix: "/"}}
	web.Environment = map[string]string{"RELEASE_OF_THE_TEST": target.ReleasePlaceholder}
	web.Scaling = target.Scaling{Min: 1, Max: 3, TargetCPUPercent: 60, TargetConcurrentRequests: 20, Schedules: []target.Schedule{{From: "08:00", To: "18:00", Min: 1}}}
	passes := apps{}.TaskPasses()
	passes.TimeoutSeconds = 60
	return target.Slot{
		Environment: e, Name: "shop",
		Definition: target.Definition{
			Release: release, Components: map[string]target.Component{"web": web, "worker": apps{}.Worker()}, Migrate: &passes, TestSuite: &passes,
		},
		Policy: target.Policy{StartTimeoutSeconds: 60, MinimumHealthySeconds: 1, DrainSeconds: 1, FallbackWindowSeconds: 3600},
	}
}

// lent lets the test suite have an account.
func lent(s target.Slot) target.Slot {
	suite := *s.Definition.TestSuite
	suite.Image, suite.Account = "registry.example.com/suite:1", "acme"
	s.Definition.TestSuite = &suite
	return s
}

// suite is one that tells what it has of an account, and fails for one release.
func suite(t *testing.T, of target.AccountDatabaseStatus, login target.Login) awstest.Program {
	want := map[string]string{
		"SLIPWAY_ACCOUNT": "acme", "SLIPWAY_ACCOUNT_HOST": of.Host, "SLIPWAY_ACCOUNT_PORT": strconv.Itoa(of.Port), "SLIPWAY_ACCOUNT_DATABASE": of.DatabaseName,
		"SLIPWAY_ACCOUNT_ROLE": login.Role, "SLIPWAY_ACCOUNT_PASSWORD": login.Password, "SLIPWAY_ACCOUNT_SSLMODE": "verify-full",
	}
	return func(_ context.Context, c *awstest.Container) int {
		got := map[string]string{}
		for k, v := range c.Environment {
			if strings.HasPrefix(k, "SLIPWAY_ACCOUNT") {
				got[k] = v
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a suite with an account has (-want +got):\n%s", diff)
		}
		c.Log("signs in as %s with %s", got["SLIPWAY_ACCOUNT_ROLE"], got["SLIPWAY_ACCOUNT_PASSWORD"])
		if c.Environment["SLIPWAY_RELEASE"] == "bad" {
			return 1
		}
		return 0
	}
}

// unseen are the words of AWS for its own roles, which it makes with the first call, and for a scalable target
// that it has not seen yet.
var unseen = map[string]string{
	"CreateCluster":          noContainersRole,
	"CreateService":          noContainersRole,
	"RunTask":                noContainersRole,
	"RegisterScalableTarget": "ValidationException: Unable to assume IAM role: arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
	"PutScalingPolicy":       noTarget,
	"PutScheduledAction":     noTarget,
	"CreateDBSubnetGroup":    "InvalidParameterValue: Missing necessary credentials. Please check http://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html",
	"CreateDBCluster":        noDatabasesRole,
	"CreateDBInstance":       noDatabasesRole,
}

const (
	noContainersRole = "InvalidParameterException: Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	noDatabasesRole  = "InvalidParameterValue: Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again later"
	noTarget         = "ObjectNotFoundException: No scalable target registered for service namespace: ecs"
)

// twice sends each registration of a scalable target again once it has taken effect, as the SDK does when
// the answer is lost.
type twice struct{ next http.RoundTripper }

func (w twice) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".RegisterScalableTarget") {
		return w.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	first, err := w.next.RoundTrip(r)
	if err != nil || first.StatusCode != http.StatusOK {
		return first, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return w.next.RoundTrip(r)
}

// TestASwapGoesForthAndBack lets the machine of all targets bring up a release, swap it for the
// next, and roll back, in an AWS account that was never used before: AWS is late with its own roles, and with
// what was made.
func TestASwapGoesForthAndBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	calls := awstest.NewCalls(l.Transport())
	calls.Refuse(2, unseen)
	d := l.client(t, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Transport = func(http.RoundTripper) http.RoundTripper { return twice{calls} }
	})
	e := environment(t, eu.Name, "production")
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	account := target.AccountDatabase{Environment: e.ID(), Account: "acme", Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1}
	database, err := d.PutAccountDatabase(t.Context(), account, mine)
	if err != nil {
		t.Fatal(err)
	}
	login, err := d.ReadSecret(t.Context(), database.Status.SecretID)
	if err != nil {
		t.Fatal(err)
	}
	l.Run("suite", suite(t, database.Status, login))
	p := provision.New(d, mine.Owner, provision.Options{})
	serves := func(state provision.SlotState, err error, release string, phase target.Phase) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		st, ok := state.Serving()
		if !ok || st.Spec.Definition.Release != release || state.Phase() != phase {
			t.Fatalf("release %q serves: %t, phase %q; want release %s and phase %q", st.Spec.Definition.Release, ok, state.Phase(), release, phase)
		}
		for _, i := range st.Of("worker") {
			if !i.Running {
				t.Errorf("the worker of what serves does not run: %+v", i)
			}
		}
		if got, status := l.request(t, "shop."+e.DomainName, "/"); got != release {
			t.Errorf("release %q answers with status %d, want %s", got, status, release)
		}
	}
	state, _, err := p.CreateSlot(t.Context(), lent(shop(e.ID(), "1")))
	serves(state, err, "1", target.PhaseLive)

	state, err = p.UpdateSlot(t.Context(), lent(shop(e.ID(), "2")))
	serves(state, err, "2", target.PhaseLive)
	tags := (&spoiler{t.Context(), l, t}).scaledTags("web", "green")
	for k, want := range map[string]string{"managed-by": "slipway", "slipway:slot": "shop", "slipway:component": "web", "slipway:color": "green", "slipway:release": "2"} {
		if tags[k] != want {
			t.Errorf("the scalable target's tag %s is %q, want %q", k, tags[k], want)
		}
	}
	fallback, ok := state.Fallback()
	if !ok || fallback.RetireAt == nil || fallback.Scale["web"] != 1 || fallback.Scale["worker"] != 0 {
		t.Errorf("the fallback is there: %t, retires at %v with scale %v", ok, fallback.RetireAt, fallback.Scale)
	}

	state, err = p.RollBack(t.Context(), shop(e.ID(), "2").ID(), "me", "orders were lost")
	serves(state, err, "1", target.PhaseRolledBack)

	_, err = p.UpdateSlot(t.Context(), lent(shop(e.ID(), "bad")))
	if err == nil || strings.Contains(err.Error(), login.Password) || !strings.Contains(err.Error(), "signs in as "+login.Role+" with [redacted]") {
		t.Errorf("a suite that failed: %v", err)
	}

	if err := p.DeleteSlot(t.Context(), shop(e.ID(), "2").ID()); err != nil {
		t.Fatal(err)
	}
	if got := words(l.running(t, home)); got != "[]" {
		t.Errorf("left: %s", got)
	}
}
