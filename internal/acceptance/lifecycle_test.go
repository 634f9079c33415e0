//go:build linux

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAccLocalLifecycle goes through the life of a platform: after each step there is
// nothing left to plan, and after the last nothing left at all.
func TestAccLocalLifecycle(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	windows := attrs{
		"test_suite": "{ command = " + command("suite") + ", account = \"acme\", timeout_seconds = 30 }",
		"migrate":    "{ command = " + command("migrate") + ", timeout_seconds = 30 }", "allow_untested": "",
		"depends_on": "[slipway_account_database.acme]",
	}
	config := func(release string, window int) string {
		windows["swap"] = fmt.Sprintf("{ minimum_healthy_seconds = 0, drain_seconds = 5, bake_seconds = 0, fallback_window_seconds = %d }", window)
		return m.base(nil) + database("acme", nil) + slot(release, windows)
	}

	m.apply(config("1", 600))
	m.emptyPlan("after the first apply")
	m.serves("1")

	before := m.instances("1")
	m.apply(config("2", 600))
	m.emptyPlan("after a swap")
	m.serves("2")

	back := m.apply(config("1", 30)) // which the other release stays ready for
	m.serves("1")
	t.Logf("the switch back took %s", back.took)
	if now := m.instances("1"); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the switch back provisioned: %v serve, want %v", now, before)
	}
	m.emptyPlan("after the switch back")

	m.eventually(time.Minute, "the fallback is retired at its deadline", func() (string, bool) {
		left := m.instances("2")
		return "still running", len(left) == 0
	})
	m.emptyPlan("after the deadline")
	m.serves("1")

	// The same state is not for aws, and plan says so before anything is asked of it.
	aws := regexp.MustCompile(`command = \[[^]]*\]`).ReplaceAllLiteralString(config("1", 30), fromGuide(t).image)
	m.write(providerBlock.ReplaceAllLiteralString(aws, fromGuide(t).provider))
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		o := m.terraform(nil, "plan", "-no-color", "-input=false", refresh)
		for _, want := range []string{`Region "eu" was made on the local target, and the provider's target is "aws" now`, `Set target back to "local"`, "another workspace"} {
			if o.code != 1 || !strings.Contains(unwrapped(o.out), want) {
				t.Errorf("plan %s of a local state on aws ended with %d, and does not say %q:\n%s", refresh, o.code, want, o.out)
			}
		}
	}
	m.write(config("1", 30))
	m.emptyPlan("back on the local target")

	m.ok(os.Remove(filepath.Join(m.work, "terraform.tfstate")))
	for _, r := range [][2]string{
		{"slipway_region.test", "eu"}, {"slipway_environment.test", "eu/production"},
		{"slipway_account_database.acme", "eu/production/acme"}, {"slipway_deployment_slot.test", "eu/production/oms"},
	} {
		if o := m.terraform(nil, "import", "-no-color", "-input=false", r[0], r[1]); o.code != 0 {
			t.Fatalf("import %s ended with %d:\n%s", r[0], o.code, o.out)
		}
	}
	m.emptyPlan("after importing each resource")

	destroyed := m.destroy()
	t.Logf("destroy took %s", destroyed.took)
}
