//go:build linux

package acceptance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAccLocalBadFromTheFirstRequest switches at once, with the guardrails that everybody has,
// to releases that pass their gates and answer nothing, or nothing well: they go back
// before the old stack has drained.
func TestAccLocalBadFromTheFirstRequest(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release string, drain int) string {
		return m.base(nil) + slot(release, attrs{
			"components": "{ api = " + component("ok", m.moods()) + " }",
			"swap":       "{ start_timeout_seconds = 30, minimum_healthy_seconds = 0, drain_seconds = " + fmt.Sprint(drain) + ", fallback_window_seconds = 600 }",
		})
	}
	m.apply(config("1", 2))
	crowd := m.startCrowd(60, 20)

	m.mood("2", hanging)
	m.turnsBack("a release that answers nothing", config("2", 2), "by waiting in vain for 5s")
	m.held("a release that answers nothing", "2")

	m.mood("3", failing)
	begun, answers := time.Now(), make(chan answer, 1)
	go func() {
		a, err := ask(t.Context(), m.clients(1)[0], http.MethodGet, m.url("", "/slow?milliseconds=30000"))
		if err != nil {
			t.Errorf("a slow request to the old release: %v", err)
		}
		answers <- a
	}()
	m.turnsBack("a release that fails at once, while the old one answers slowly", config("3", 40), "failed, at most 5 % may")
	w := m.record().Swap
	back := w.Steps[slices.IndexFunc(w.Steps, func(s target.Step) bool { return s.Phase == target.PhaseRollingBack })].At
	if a := <-answers; a.release != "1" || time.Since(begun) < 30*time.Second || !back.Before(begun.Add(30*time.Second)) {
		t.Errorf("the slow request of %s got %+v; the traffic went back at %s", begun, a, back)
	}
	crowd.stop()
	m.destroy()
}

// turnsBack wants an apply to fail for a reason, and the release before to serve.
func (m *machine) turnsBack(what, config, why string) {
	m.Helper()
	o := m.startApply(config).wait()
	flat := unwrapped(o.out)
	for _, want := range []string{why, "Release 1 serves all traffic again"} {
		if o.code != 1 || !strings.Contains(flat, want) {
			m.Errorf("%s: apply ended with %d, want 1 and %q:\n%s", what, o.code, want, o.out)
		}
	}
	w := m.record().Swap
	m.Logf("%s: switched at %v, steps %+v", what, w.SwitchedAt, w.Steps)
	m.serves("1")
}
