//go:build linux

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// elsewhere is another Terraform working directory on the same data directory.
func (m *machine) elsewhere() *machine {
	m.Helper()
	other := *m
	other.work = filepath.Join(m.dir, "elsewhere")
	m.ok(os.Mkdir(other.work, 0o755))
	return &other
}

// TestAccLocalTwoApplies lets two applies swap one slot: one wins, the other says who holds
// it and until when; and what a killed one held is taken over within its time.
func TestAccLocalTwoApplies(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(release string, a attrs) string { return m.base(nil) + slot(release, a) }
	long := attrs{"swap": "{ minimum_healthy_seconds = 40, drain_seconds = 5 }"}
	m.apply(config("1", nil))

	first := m.startApply(config("2", long))
	m.eventually(20*time.Second, "the first apply has a candidate", func() (string, bool) {
		return "no instance of release 2", len(m.instances("2")) > 0
	})
	began := time.Now()
	second := m.terraform(nil, "apply", "-auto-approve", "-no-color", "-input=false", "-lock=false")
	if second.code == 0 {
		t.Fatalf("two applies swapped one slot at once:\n%s", second.out)
	}
	flat := unwrapped(second.out)
	t.Logf("the second apply, after %s: %s", time.Since(began).Round(time.Millisecond), diagnostic(flat))
	for _, w := range []string{m.work, "until", time.Now().UTC().Format("2006-01-02T15:")} {
		if !strings.Contains(flat, w) {
			t.Errorf("the second apply does not say %q:\n%s", w, second.out)
		}
	}

	if !first.kill() {
		t.Fatalf("the first apply ended early:\n%s", first.out)
	}
	m.serves("1")
	again := m.apply(config("2", nil))
	t.Logf("the apply after a kill took %s", again.took)
	if again.took > 15*time.Second+15*time.Second {
		t.Errorf("taking over took %s", again.took)
	}
	m.oneStack("2")
	m.emptyPlan("after a lease was taken over")
	m.destroy()
}

// oneStack ends the test unless a release serves alone, with its fallback at most.
func (m *machine) oneStack(release string) {
	m.Helper()
	m.serves(release)
	m.eventually(20*time.Second, "two stacks at most", func() (string, bool) {
		all := m.find("serve-release")
		return fmt.Sprint(all), len(m.instances(release)) == 1 && len(all) <= 2
	})
}

// TestAccLocalLostState loses the state of many creates: the next apply from the same place
// adopts them all, one from elsewhere is told how to import them, and a data directory that
// is gone is an error and no reason to make everything again.
func TestAccLocalLostState(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	const count = 12
	config := m.base(nil)
	for n := range count {
		config += database(fmt.Sprintf("a%02d", n), nil)
	}
	config += slot("1", nil)
	m.apply(config)
	before := m.state("slipway_account_database.a03")
	m.serves("1")
	running := m.instances("1")

	m.ok(os.Remove(filepath.Join(m.work, "terraform.tfstate")))
	adopted := m.apply(config)
	if !strings.Contains(adopted.out, fmt.Sprintf("%d added", count+3)) {
		t.Errorf("not everything was adopted:\n%s", adopted.out)
	}
	if got := m.state("slipway_account_database.a03"); got["database_name"] != before["database_name"] || got["secret_id"] != before["secret_id"] {
		t.Errorf("the adopted database is %v, was %v", got, before)
	}
	if now := m.instances("1"); len(now) != 1 || now[0].pid != running[0].pid {
		t.Errorf("adopting started other processes: %v, was %v", now, running)
	}
	m.emptyPlan("after everything was adopted")

	other := m.elsewhere()
	refused := other.tryApply(config)
	if refused.code == 0 {
		t.Fatalf("another state took everything over:\n%s", refused.out)
	}
	if flat := unwrapped(refused.out); !strings.Contains(flat, "terraform import") || !strings.Contains(flat, "eu") {
		t.Errorf("the refusal names no import command:\n%s", refused.out)
	} else {
		t.Logf("from elsewhere: %s", diagnostic(flat))
	}
	for _, r := range [][2]string{{"slipway_region.test", "eu"}, {"slipway_environment.test", "eu/production"}} {
		if o := other.terraform(nil, "import", "-no-color", "-input=false", r[0], r[1]); o.code != 0 {
			t.Fatalf("import %s ended with %d:\n%s", r[0], o.code, o.out)
		}
	}
	refused = other.tryApply(config)
	flat := unwrapped(refused.out)
	for n := range count {
		if id := fmt.Sprintf("eu/production/a%02d", n); refused.code == 0 || !strings.Contains(flat, id) {
			t.Errorf("the refusal from elsewhere does not name %s:\n%s", id, refused.out)
		}
	}
	m.emptyPlan("after another state was refused")
	m.destroy()
}

// TestAccLocalDataDirectoryGone removes the data directory behind everybody's back: the agent
// ends all that it ran, and plan names the installation that is missing.
func TestAccLocalDataDirectoryGone(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + database("acme", nil) + slot("1", nil)
	m.apply(config)
	id := m.status().Installation
	if id == "" {
		t.Fatal("the agent names no installation")
	}
	ran := m.processes()
	m.ok(os.RemoveAll(m.data))
	m.ended(ran)
	if _, err := os.Stat(m.data); !os.IsNotExist(err) {
		t.Errorf("the agent made the data directory again: %v", err)
	}
	o := m.plan()
	if flat := unwrapped(o.out); o.code != 1 || !strings.Contains(flat, id) || strings.Contains(o.out, "to add") {
		t.Errorf("plan without the data directory ended with %d, want an error that names installation %s:\n%s", o.code, id, o.out)
	} else {
		t.Logf("without the data directory: %s", diagnostic(flat))
	}
	if _, err := os.Stat(m.data); !os.IsNotExist(err) {
		t.Errorf("plan made the data directory again: %v", err)
	}
	if left := m.processes(); len(left) > 0 {
		t.Errorf("plan without the data directory started %v", left)
	}
	// Another installation is not the one that is missing.
	other := m.elsewhere()
	other.apply(other.base(nil))
	o = m.plan()
	if flat := unwrapped(o.out); o.code != 1 || !strings.Contains(flat, id) {
		t.Errorf("plan on another installation ended with %d, want an error that names installation %s:\n%s", o.code, id, o.out)
	} else {
		t.Logf("on another installation: %s", diagnostic(flat))
	}
	other.destroy()
}

// TestAccLocalDataDirectoryMadeAnewAtOnce removes the data directory and the state and applies
// while the agent of before, which holds the ports, may not have noticed. It must make way, and
// must not take its successor's files with it.
func TestAccLocalDataDirectoryMadeAnewAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + database("acme", nil) + slot("1", nil)
	m.apply(config)
	for range 3 {
		ran, before := m.processes(), m.status().Installation
		m.ok(os.RemoveAll(m.data))
		m.ok(os.Remove(filepath.Join(m.work, "terraform.tfstate")))
		m.apply(config)
		m.ended(ran)
		m.serves("1")
		if now := m.status().Installation; now == before {
			t.Errorf("the installation is still %s", now)
		}
		m.emptyPlan("after everything was made anew")
	}
	m.agent("stop")
	if left := m.processes(); len(left) > 0 {
		t.Errorf("after agent stop these run: %v", left)
	}
	m.emptyPlan("after agent stop")
	m.destroy()
}

// ended ends the test unless all of these processes end, by their ids.
func (m *machine) ended(all []process) {
	m.Helper()
	m.eventually(30*time.Second, "everything that the agent ran has ended", func() (string, bool) {
		var left []process
		for _, now := range m.processes() {
			for _, p := range all {
				if now.pid == p.pid {
					left = append(left, now)
				}
			}
		}
		return fmt.Sprint(left), len(left) == 0
	})
}

// TestAccLocalDataDirectoryReplaced puts another agent's data directory in the place of one that
// is in use: what was there ends, and touches nothing of the other.
func TestAccLocalDataDirectoryReplaced(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.apply(m.base(nil) + slot("1", nil))
	ran := m.processes()
	m.ok(os.Rename(m.data, m.data+"-aside"))
	m.agentUp()
	m.eventually(20*time.Second, "the other agent answers", func() (string, bool) {
		o := m.tryAgent("status")
		return o.out, o.code == 0
	})
	m.ended(ran)
	if s := m.status(); s.Installation != "" || len(s.Environments) > 0 {
		t.Errorf("the other agent says %+v", s)
	}
	for _, name := range []string{"agent.json", "agent.lock", "agent.sock"} {
		if _, err := os.Lstat(filepath.Join(m.data, name)); err != nil {
			t.Errorf("the first agent removed a file of the other: %v", err)
		}
	}
	m.agent("stop")
}
