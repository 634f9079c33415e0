//go:build linux

package acceptance

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// operate runs one of the operator's commands, which may fail.
func (m *machine) operate(args ...string) outcome {
	m.Helper()
	cmd := exec.Command(built.provider, append(args[:1:1], append([]string{"--data-dir", m.data}, args[1:]...)...)...)
	cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + m.work}, m.work
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		m.Fatal(err)
	}
	return outcome{out: string(out), code: cmd.ProcessState.ExitCode()}
}

// approved is a slot of two instances whose candidates wait with a part of them.
func approved(release string, timeout, percent int, a attrs) string {
	return slot(release, attrs{
		"components":     "{ api = " + component("ok", attrs{"scaling": "{ min = 2 }"}) + " }",
		"allow_untested": "", "test_suite": suiteOf(1),
		"swap": fmt.Sprintf(`{ approval = "manual", approval_timeout_seconds = %d, waiting_capacity_percent = %d, start_timeout_seconds = 30, minimum_healthy_seconds = 0, bake_seconds = 1, fallback_window_seconds = 600 }`, timeout, percent),
	}.with(a))
}

// suiteOf is one of several suites that differ in nothing that counts.
func suiteOf(n int) string {
	return fmt.Sprintf(`{ command = %s, timeout_seconds = 30, environment = { VERSION = "%d" } }`, command("suite"), n)
}

// TestAccLocalApproval has candidates wait, and lets them take the traffic in each of the
// three ways; one that nobody approves goes, and what changed meanwhile is tested again.
func TestAccLocalApproval(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release string, a attrs) string { return m.base(nil) + approved(release, 600, 100, a) }
	m.apply(config("1", attrs{"approved_release": `"1"`}))
	m.serves("1")
	began := time.Now()
	crowd := m.startCrowd(4, 40)

	// One that waits with less than its size is tested again once it has it.
	few := func(a attrs) string { return m.base(nil) + approved("2", 600, 50, a) }
	m.apply(few(nil))
	m.waits("2", "1", 1)
	if o := m.operate("promote", "--release", "9", "eu/production/oms"); o.code != 1 || !strings.Contains(o.out, "release 2 waits for approval, not release 9") {
		t.Errorf("the promotion of another release ended with %d:\n%s", o.code, o.out)
	}
	m.apply(few(attrs{"approved_release": `"2"`}))
	m.promoted("by approved_release", "2", 2)

	// So is one that lost an instance while it waited.
	m.apply(config("3", nil))
	m.waits("3", "2", 2)
	kill(m.instances("3")[:1])
	m.eventually(20*time.Second, "the instance is started again", func() (string, bool) { n := len(m.instances("3")); return fmt.Sprint(n), n == 2 })
	if o := m.operate("promote", "eu/production/oms"); o.code != 0 {
		t.Errorf("the promotion ended with %d:\n%s", o.code, o.out)
	}
	m.promoted("by the command", "3", 2)

	m.apply(config("4", nil))
	m.waits("4", "3", 2)
	m.ok(m.invoke("slipway_promote", map[string]string{"deployment_slot_id": "eu/production/oms", "release": "4"}))
	m.promoted("by the action", "4", 1)

	// Another suite is run once the release is approved.
	m.apply(config("5", nil))
	m.waits("5", "4", 2)
	m.apply(config("5", attrs{"test_suite": suiteOf(2)}))
	m.waits("5", "4", 2)
	m.apply(config("5", attrs{"test_suite": suiteOf(2), "approved_release": `"5"`}))
	m.promoted("with another suite", "5", 2)

	// Other components are another candidate.
	other := attrs{"components": "{ api = " + component("ok", attrs{"scaling": "{ min = 2 }", "environment": `{ OTHER = "1" }`}) + " }"}
	m.apply(config("6", nil))
	m.waits("6", "5", 2)
	before := m.record().Swap
	m.apply(config("6", other))
	m.waits("6", "5", 2)
	if now := m.record().Swap; now.ID == before.ID || now.Fingerprint == before.Fingerprint {
		t.Errorf("other components go on as the swap of before: %+v", now)
	}
	m.apply(config("6", other.with(attrs{"approved_release": `"6"`})))
	m.promoted("with other components", "6", 1)

	// Nobody approves.
	m.apply(m.base(nil) + approved("7", 3, 100, nil))
	m.eventually(30*time.Second, "the candidate is removed", func() (string, bool) {
		n := len(m.instances("7"))
		return fmt.Sprint(n), n == 0 && m.record().Swap.Phase == target.PhaseAwaitingApproval
	})
	m.serves("6")
	if o := m.operate("promote", "--release", "7", "eu/production/oms"); o.code != 1 || !strings.Contains(o.out, "has nothing to promote") {
		t.Errorf("the promotion of a release that is gone ended with %d:\n%s", o.code, o.out)
	}
	p := m.plan()
	if flat := unwrapped(p.out); p.code != 2 || !strings.Contains(flat, "Release was not approved in time") || !strings.Contains(flat, `-> "7"`) {
		t.Errorf("plan after nobody approved ended with %d, want 2, the change and why:\n%s", p.code, p.out)
	}
	m.apply(config("7", nil))
	m.waits("7", "6", 2)
	crowd.stop()
	crowd.flawless(began)
	m.destroy()
}

// waits ends the test unless a release waits for approval, at its size for that, can be
// reached at the preview address only, and nothing is left to plan.
func (m *machine) waits(release, serving string, instances int) {
	m.Helper()
	if w := m.record().Swap; w.Phase != target.PhaseAwaitingApproval || w.Release != release {
		m.Fatalf("release %s does not wait for approval: %+v", release, w)
	}
	m.serves(serving)
	m.eventually(20*time.Second, "so many instances wait as are to", func() (string, bool) {
		n := len(m.instances(release))
		return fmt.Sprint(n), n == instances && len(m.instances(serving)) == 2
	})
	m.emptyPlan("while release " + release + " waits")
	slot := m.state("slipway_deployment_slot.test")
	pem, _ := m.state("slipway_environment.test")["certificate_authority"].(string)
	c, err := newClient([]byte(pem), net.JoinHostPort("127.0.0.1", strconv.Itoa(m.preview)))
	m.ok(err)
	defer c.CloseIdleConnections()
	a, err := ask(m.Context(), c, http.MethodGet, fmt.Sprint(slot["preview_url"]))
	if err != nil || a.release != release || slot["phase"] != "awaiting_approval" {
		m.Errorf("while release %s waits the preview answers %+v, %v, and the phase in the state is %v", release, a, err, slot["phase"])
	}
}

// promoted ends the test unless a release serves with all its instances, after so many runs
// of its suite.
func (m *machine) promoted(how, release string, tests int) {
	m.Helper()
	m.serves(release)
	w, ran := m.record().Swap, 0
	for _, t := range w.Tasks {
		if t.Kind == string(target.TaskTest) {
			ran++
		}
	}
	if w.Phase != target.PhaseLive || w.Approved == nil || ran != tests || len(m.instances(release)) != 2 {
		m.Errorf("%s: %d instances after %d runs of the suite, want 2 and %d: %+v", how, len(m.instances(release)), ran, tests, w)
	}
	m.emptyPlan("after an approval " + how)
}
