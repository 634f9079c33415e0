package awstarget_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// stage is a slot in an account of its own, on which one process after the other works, while
// somebody stands at the front door.
type stage struct {
	*testing.T
	*lab
	clock *wait.Fake
	id    target.SlotID
	door  *http.Transport
	host  string
	// may are the releases that may answer; nothing need while it is empty.
	may []string
	// whole is what there is after a swap.
	whole string
}

// newStage makes a stage with a slot in which release b serves, and a is the fallback.
func newStage(t *testing.T) *stage {
	t.Helper()
	l := newLab(t)
	s := &stage{T: t, lab: l, clock: wait.NewFake(time.Now())}
	s.door = &http.Transport{DialContext: l.Dial, TLSClientConfig: &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(s.door.CloseIdleConnections)
	e := production(t, s.process().Target)
	s.id = target.SlotID{Environment: e, Name: "shop"}
	s.host = "shop." + environment(t, e.Region, e.Name).DomainName
	for _, release := range []string{"a", "b"} {
		if err := s.swap(release)(t.Context(), s.process()); err != nil {
			t.Fatal(err)
		}
	}
	s.whole = s.inventory()
	s.may = []string{"b"}
	return s
}

// process is another process, whose calls are followed by a look at the front door wherever they
// may have changed what it does.
func (s *stage) process(change ...func(*awstarget.Settings)) *trial {
	s.Helper()
	r := s.try(s.T, s.clock, time.Second, change...)
	r.calls.Watch(func(c awstest.Call) {
		if c.Changes() || c.Operation == "DescribeServices" {
			s.look(c)
		}
	})
	return r
}

// look wants one of the releases to answer that may.
func (s *stage) look(after awstest.Call) {
	if len(s.may) == 0 {
		return
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(s.Context()), http.MethodGet, "https://"+s.host+"/", nil)
	if err != nil {
		s.Error(err)
		return
	}
	answer, err := s.door.RoundTrip(r)
	if err != nil {
		s.Errorf("after %s %s nobody answers: %v", after.Service, after.Operation, err)
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body) // so that the next look comes over the same connection
	_ = answer.Body.Close()
	if release := answer.Header.Get("Slipway-Release"); answer.StatusCode != http.StatusOK || !strings.Contains(" "+strings.Join(s.may, " ")+" ", " "+release+" ") {
		s.Errorf("after %s %s release %q answers with status %d, want one of %q", after.Service, after.Operation, release, answer.StatusCode, s.may)
	}
}

// work is what a process does, and may do again.
type work func(context.Context, *trial) error

// provisioner is what Terraform works through: a driver might finish what no second run comes to.
func (r *trial) provisioner() *provision.Provisioner {
	return provision.New(r.Target, mine.Owner, provision.Options{Clock: r.clock})
}

// asked is the slot with a release.
func (s *stage) asked(release string, changes ...func(*target.Component)) target.Slot {
	out := shop(s.id.Environment, release)
	web := out.Definition.Components["web"]
	web.Scaling = target.Scaling{Min: 1, Max: 3, TargetCPUPercent: 60}
	for _, change := range changes {
		change(&web)
	}
	out.Definition.Components["web"] = web
	// The clock goes ahead of the containers: it decides on nothing here.
	out.Definition.Migrate.TimeoutSeconds, out.Definition.TestSuite.TimeoutSeconds = 604800, 604800
	out.Policy.StartTimeoutSeconds, out.Policy.FallbackWindowSeconds = 3600, 604800
	return out
}

// swap makes a release serve.
func (s *stage) swap(release string, changes ...func(*target.Component)) work {
	return func(ctx context.Context, r *trial) error {
		return second(r.provisioner().UpdateSlot(ctx, s.asked(release, changes...)))
	}
}

func (s *stage) inventory() string {
	s.Helper()
	got := s.running(s.T, home)
	delete(got, "task")
	return words(got)
}

// converged wants a release to serve, nothing to be left to do, and nothing twice.
func (s *stage) converged(release, inventory string) {
	s.Helper()
	state, err := s.process().provisioner().ReadSlot(s.Context(), s.id)
	if err != nil {
		s.Fatal(err)
	}
	st, ok := state.Serving()
	if !ok || st.Spec.Definition.Release != release || state.Unfinished(s.clock.Now()) {
		s.Errorf("release %q serves (%t) and the slot is unfinished (%t, %q), want release %s and nothing to do", st.Spec.Definition.Release, ok, state.Unfinished(s.clock.Now()), state.Phase(), release)
	}
	if got := s.inventory(); got != inventory {
		s.Errorf("there is %s\nwant %s", got, inventory)
	}
	s.may = []string{release}
	s.look(awstest.Call{Operation: "everything"})
}
