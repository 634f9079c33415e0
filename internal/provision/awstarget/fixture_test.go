package awstarget_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/rights"
)

const home, elsewhere = "eu-central-1", "us-east-1"

// lab is an AWS account with what is needed to work on it.
type lab struct {
	*awstest.Account
	roots *x509.CertPool // of its load balancers' certificates

	mu     sync.Mutex
	called []operation // by the clients of the lab
}

// operation is one of AWS by the SDK's package and its name.
type operation struct{ service, name string }

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{Account: awstest.New(t), roots: x509.NewCertPool()}
	l.roots.AppendCertsFromPEM(l.Authority)
	awstest.HostedZone(t, l.config(home), "example.com")
	return l
}

// inspect checks each request, and that the documented policies allow it.
func (l *lab) inspect(t testing.TB) func(*middleware.Stack) error {
	check, judge := l.check(t), l.Judge.Hold(policies(t), func(denied string) { t.Errorf("IAM would refuse %s", denied) })
	return func(stack *middleware.Stack) error { return errors.Join(check(stack), judge(stack)) }
}

// check checks and notes each request.
func (l *lab) check(t testing.TB) func(*middleware.Stack) error {
	check := awstest.Check(func(fault string) { t.Errorf("AWS would refuse a request: %s", fault) })
	return func(stack *middleware.Stack) error {
		note := middleware.InitializeMiddlewareFunc("NoteOperation", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			o := operation{strings.ToLower(strings.ReplaceAll(awsmiddleware.GetServiceID(ctx), " ", "")), awsmiddleware.GetOperationName(ctx)}
			if covered, _ := rights.Covers(o.service, o.name); !covered && o.service != "sts" { // which needs no right
				t.Errorf("%s %s is not in the table of rights", o.service, o.name)
			}
			l.mu.Lock()
			l.called = append(l.called, o)
			l.mu.Unlock()
			return next.HandleInitialize(ctx, in)
		})
		return errors.Join(check(stack), stack.Initialize.Add(note, middleware.After))
	}
}

// policies are those of an apply with these files, or with all.
func policies(t testing.TB, files ...string) awstest.Policies {
	t.Helper()
	all, err := rights.Policies()
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, p := range all {
		if len(files) == 0 || slices.Contains(files, p.File) {
			texts = append(texts, p.JSON)
		}
	}
	read, err := awstest.ReadPolicies(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// operations are those that were called since they were last asked for.
func (l *lab) operations() []operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	called := l.called
	l.called = nil
	return called
}

// forgetCalls begins to note anew what is called.
func (l *lab) forgetCalls() {
	l.operations()
	l.Judge.Asked()
}

// heldToPlans wants what was called to be what the policy for plans allows.
func (l *lab) heldToPlans(t testing.TB) {
	t.Helper()
	for _, o := range l.operations() {
		if _, planned := rights.Covers(o.service, o.name); !planned {
			t.Errorf("a plan calls %s %s, which the policy for plans does not allow", o.service, o.name)
		}
	}
	for _, denied := range policies(t, "plan.json").Denied(l.Judge.Asked()) {
		t.Errorf("the policy for plans does not allow %s", denied)
	}
}

// client makes another client of the account, as another process would, whose requests are
// all checked.
func (l *lab) client(t testing.TB, change ...func(*awstarget.Settings, *awstarget.Options)) *awstarget.Target {
	t.Helper()
	authority := awstest.File(t, "authority.pem", string(l.Authority))
	s := awstarget.Settings{
		Region: home, MaxRetries: 1, S3UsePathStyle: true, SkipMetadataAPICheck: true,
		SharedConfigFiles: []string{awstest.File(t, "config", "")}, SharedCredentialsFiles: []string{awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")},
		Endpoints:  awstest.Endpoints(l.URL),
		HTTPSProxy: &l.Proxy, CustomCABundle: authority, DatabaseCABundle: authority,
	}
	o := awstarget.Options{
		Pace: 20 * time.Millisecond, ScheduleLead: time.Second, MeterPeriod: awstest.MeterPeriod,
		DialDatabase: l.Dial, Inspect: l.inspect(t),
		Transport: func(http.RoundTripper) http.RoundTripper { return l.Transport() },
	}
	for _, c := range change {
		c(&s, &o)
	}
	return awstarget.New(s, o)
}

// request sends a GET through the front door that a host's name leads to.
func (l *lab) request(t *testing.T, host, path string) (release string, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	door := &http.Transport{DisableKeepAlives: true, DialContext: l.Dial, TLSClientConfig: &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}}
	answer, err := door.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.Header.Get("Slipway-Release"), answer.StatusCode
}
