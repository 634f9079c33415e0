//go:build linux

package acceptance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// killing is a workspace whose provider can be killed with a call, while somebody stands at the
// front door.
type killing struct {
	*workspace
	door *http.Transport

	mu    sync.Mutex
	calls *awstest.Calls // of the process that works
	// may are the releases that may answer; nothing need while it is empty.
	may []string
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	account, roots := awstest.New(t), x509.NewCertPool()
	roots.AppendCertsFromPEM(account.Authority)
	awstest.HostedZone(t, account.Config("eu-central-1"), "example.com")
	k := &killing{workspace: emptyWorkspace(t, account), calls: awstest.NewCalls(account.Transport())}
	k.door = &http.Transport{DialContext: account.Dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(k.door.CloseIdleConnections)
	to, err := url.Parse(account.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:    k,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // the line is dead
	})
	t.Cleanup(s.Close)
	k.endpoint, k.cli = s.URL, built.hasty
	if err := os.WriteFile(filepath.Join(k.dir, "main.tf"), []byte(shopOnAWS), 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

// RoundTrip sends what the process that works calls.
func (k *killing) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	calls := k.calls
	k.mu.Unlock()
	return calls.RoundTrip(r)
}

// process begins another process, whose changes are followed by a look at the front door.
func (k *killing) process() *awstest.Calls {
	calls := awstest.NewCalls(k.account.Transport())
	calls.Watch(func(c awstest.Call) {
		if c.Changes() {
			k.look(c.Operation)
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = calls
	return calls
}

func variables(release int) map[string]any { return map[string]any{"release": strconv.Itoa(release)} }

func (k *killing) apply(release int) {
	k.Helper()
	k.process()
	k.must(0, variables(release), "apply", "-auto-approve")
}

// killed applies a release until the provider dies with a call that is fatal, with Terraform if the
// release is even, and says whether it came to it.
func (k *killing) killed(what string, fatal func(awstest.Call) bool, release int) bool {
	k.Helper()
	calls := k.process()
	cmd, out := k.command(variables(release), "apply", "-auto-approve")
	calls.DieWith(fatal, func() {
		all, err := processesIn(k.dir)
		if err != nil {
			k.Error(err)
		}
		for _, p := range all {
			if release%2 == 0 || strings.HasSuffix(p.args[0], "terraform-provider-slipway") {
				p.kill()
			}
		}
	})
	err := cmd.Run()
	if !calls.Dead() {
		if err != nil {
			k.Fatalf("apply that was to be killed where %s ended with %v:\n%s", what, err, out)
		}
		return false
	}
	made := calls.Made()
	k.Logf("release %d: killed where %s, call %d, %s", release, what, len(made), made[len(made)-1])
	if err == nil {
		k.Errorf("apply whose provider was killed where %s succeeded:\n%s", what, out)
	}
	k.leaseEnds()
	return true
}

// leaseEnds lets the slot's lease run out, which whoever is dead does not give back: somebody
// whose clock goes ahead takes it over.
func (k *killing) leaseEnds() {
	k.Helper()
	later := awstarget.New(awstarget.Settings{
		Region: "eu-central-1", SkipMetadataAPICheck: true, S3UsePathStyle: true, Endpoints: awstest.Endpoints(k.account.URL),
		SharedConfigFiles: []string{awstest.File(k, "config", "")}, SharedCredentialsFiles: []string{awstest.File(k, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")},
	}, awstarget.Options{Clock: wait.NewFake(time.Now().Add(5 * time.Minute))})
	l, err := later.AcquireLease(k.Context(), oms, "later", "somebody later", later.LeaseTTL())
	if err == nil {
		err = later.ReleaseLease(k.Context(), oms, l.Token)
	}
	if err != nil {
		k.Fatal(err)
	}
}

// mayAnswer sets which releases may answer from now on.
func (k *killing) mayAnswer(releases ...int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.may = nil
	for _, r := range releases {
		k.may = append(k.may, strconv.Itoa(r))
	}
}

// look wants one of the releases to answer that may.
func (k *killing) look(after string) {
	k.mu.Lock()
	may := k.may
	k.mu.Unlock()
	if len(may) == 0 {
		return
	}
	for _, host := range []string{"shop", "console"} {
		r, err := http.NewRequestWithContext(context.WithoutCancel(k.Context()), http.MethodGet, fmt.Sprintf("https://%s.production.eu.example.com/", host), nil)
		if err != nil {
			k.Error(err)
			return
		}
		answer, err := k.door.RoundTrip(r)
		if err != nil {
			k.Errorf("after %s nobody answers at %s: %v", after, host, err)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if release := answer.Header.Get("Slipway-Release"); answer.StatusCode != http.StatusOK || !slices.Contains(may, release) {
			k.Errorf("after %s release %q answers at %s with status %d, want one of %q", after, release, host, answer.StatusCode, may)
		}
	}
}

// twoStacks wants what there is after a swap: what serves, and its fallback, which is to be retired.
func (k *killing) twoStacks(what string) {
	k.Helper()
	got, err := k.account.Running(k.Context(), "eu-central-1")
	if err != nil {
		k.Fatal(err)
	}
	delete(got, "task") // those that stop may be under way
	want := map[string]int{"rule": 5, "target group": 2, "service": 2, "task definition": 2, "scalable target": 2, "scaling policy": 2, "scheduled action": 1}
	if !maps.Equal(got, want) {
		k.Errorf("after it was killed where %s there is %v\nwant %v", what, got, want)
	}
}
