//go:build linux

package acceptance

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAccLocalReleaseRefused tries releases that must not go live: traffic stays where it
// is, the diagnostic names the component and shows its last lines within the stated
// timeout, and the next plan shows the same change.
func TestAccLocalReleaseRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	taken, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(freePort(t)))
	m.ok(err)
	defer taken.Close()
	// A busy machine needs some time beside the timeouts; their defaults are minutes.
	const limit = time.Minute
	swap := "{ start_timeout_seconds = 8, minimum_healthy_seconds = 2, drain_seconds = 5, fallback_window_seconds = 600 }"
	api := func(behaviour string, a attrs) attrs {
		return attrs{"components": "{ api = " + component("ok", nil) + ", billing = " + component(behaviour, attrs{"routes": `[{ path_prefix = "/billing" }]`}.with(a)) + " }"}
	}
	suite := func(words ...string) attrs {
		return attrs{"allow_untested": "", "test_suite": "{ command = " + command(words...) + ", timeout_seconds = 3 }"}
	}
	cases := []struct {
		name string
		slot attrs
		want []string // words that the diagnostic must have
	}{
		{"a migration that fails",
			attrs{"migrate": "{ command = " + command("tell", "4", "column price exists already") + ", timeout_seconds = 5 }"},
			[]string{"migration", "column price exists already", "4"}},
		{"a migration that does not end",
			attrs{"migrate": "{ command = " + command("hang") + ", timeout_seconds = 2 }"},
			[]string{"migration", "waiting for what never comes", "2s"}},
		{"a component that never gets healthy",
			api("sick", nil),
			[]string{`"billing"`, "GET /healthz -> 503", "finds no connection to the warehouse"}},
		{"a component that crashes at start",
			api("crash", nil),
			[]string{`"billing"`, "exited with code 3", "the configuration is not readable"}},
		{"a component whose port is taken",
			api("fixedport", attrs{"environment": "{ FIXED_PORT = \"" + strconv.Itoa(taken.Addr().(*net.TCPAddr).Port) + "\" }"}),
			[]string{`"billing"`, "address already in use"}},
		{"a component whose command does not exist",
			api("ok", attrs{"command": `["/nowhere/program"]`}),
			[]string{`"billing"`, "/nowhere/program"}},
		{"a component whose health flaps",
			api("flapping", nil),
			[]string{`"billing"`, "GET /healthz -> 503", "finds no connection to the warehouse"}},
		{"a test suite that fails",
			suite("tell", "1", "checkout gives the wrong total"),
			[]string{"test suite", "checkout gives the wrong total"}},
		{"a test suite that hangs",
			suite("hang"),
			[]string{"test suite", "waiting for what never comes", "3s"}},
	}
	config := func(release string, a attrs) string {
		return m.base(nil) + database("acme", nil) + shop(release, attrs{"swap": swap}.with(a))
	}
	m.apply(config("1", nil))
	l := m.startLoad("acme", 2, 100*time.Millisecond)
	for n, c := range cases {
		release := fmt.Sprintf("2.%d", n)
		o := m.tryApply(config(release, c.slot))
		if o.code == 0 {
			t.Fatalf("%s: apply succeeded:\n%s", c.name, o.out)
		}
		flat := unwrapped(o.out)
		for _, w := range append(c.want, "Release 1 ", release) {
			if !strings.Contains(flat, w) {
				t.Errorf("%s: the diagnostic lacks %q:\n%s", c.name, w, o.out)
			}
		}
		if o.took > limit {
			t.Errorf("%s: apply took %s, want at most %s", c.name, o.took, limit)
		}
		m.serves("1")
		if left := m.instances(release); len(left) > 0 {
			t.Errorf("%s: the candidate was left: %v", c.name, left)
		}
		p := m.plan()
		if p.code != 2 || !strings.Contains(p.out, `"1" -> "`+release+`"`) {
			t.Errorf("%s: the next plan does not show the same change (code %d):\n%s", c.name, p.code, p.out)
		}
		t.Logf("%s: refused in %s: %s", c.name, o.took.Round(time.Millisecond), diagnostic(flat))
	}
	l.stop()
	l.lossless()
	m.apply(config("3", nil))
	m.serves("3")
	m.emptyPlan("after a good release")
	m.destroy()
}

// unwrapped is Terraform's output with its line breaks taken back.
func unwrapped(out string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ") + " "
}

// diagnostic is the text from the first error on.
func diagnostic(flat string) string {
	if i := strings.Index(flat, "Error:"); i >= 0 {
		return flat[i:min(len(flat), i+700)]
	}
	return flat
}
