//go:build linux

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// rounds is how often something is killed: few times by default, more with
// SLIPWAY_ACC_ROUNDS.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("SLIPWAY_ACC_ROUNDS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// tested is a slot whose swap goes through every phase.
func tested(release string) string {
	return shop(release, attrs{
		"allow_untested": "",
		"test_suite":     "{ command = " + command("suite") + ", timeout_seconds = 30 }",
	})
}

// oneStackServes ends the test unless a release serves and only that one and the one before
// still run, without anything left of others.
func (m *machine) oneStackServes(n int) {
	m.Helper()
	m.serves(strconv.Itoa(n))
	m.eventually(30*time.Second, "nothing but the live stack and its fallback is left", func() (string, bool) {
		live, fallback := len(m.instances(strconv.Itoa(n))), 0
		all := m.find("serve-release")
		for back := 1; back < n; back++ {
			fallback = max(fallback, len(m.instances(strconv.Itoa(back))))
		}
		tasks := len(m.find("migrate")) + len(m.find("suite"))
		return "live " + strconv.Itoa(live) + ", fallback " + strconv.Itoa(fallback) + ", all " + strconv.Itoa(len(all)) + ", tasks " + strconv.Itoa(tasks),
			live == 2 && len(all) == live+fallback && tasks == 0
	})
}

// TestAccLocalTerraformKilled kills Terraform and the provider at random moments of applies
// that swap: the front door answers all the time, and the next apply succeeds by itself.
func TestAccLocalTerraformKilled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(n int) string { return m.base(nil) + database("acme", nil) + tested(strconv.Itoa(n)) }
	m.apply(config(1))
	l := m.startLoad("acme", 4, 50*time.Millisecond)
	whole := m.apply(config(2)).took
	for n := 3; n < 3+rounds(t, 5); n++ {
		moment := time.Duration(rand.Int64N(int64(whole)))
		s := m.startApply(config(n))
		select {
		case <-s.over:
		case <-time.After(moment):
		}
		at := s.kill()
		next := m.apply(config(n))
		t.Logf("killed %s into an apply (still at work: %t); the next one took %s", moment.Round(time.Millisecond), at, next.took.Round(time.Millisecond))
		m.oneStackServes(n)
		m.emptyPlan("after a killed apply and another")
	}
	l.stop()
	l.lossless()
	m.destroy()
}

// TestAccLocalAgentKilled kills each half of the agent, both of them, and instances of the
// application, while orders come in and while applies swap.
func TestAccLocalAgentKilled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(n int) string { return m.base(nil) + database("acme", nil) + tested(strconv.Itoa(n)) }
	m.apply(config(1))
	const connections = 4
	l := m.startLoad("acme", connections, 50*time.Millisecond)
	failed := 0
	// lost is how many requests failed since it was last asked.
	lost := func() (int, string) {
		n, how := l.failed()
		defer func() { failed = n }()
		return n - failed, how
	}
	answers := func(what string) {
		t.Helper()
		seen := l.answered()
		m.eventually(20*time.Second, "the front door answers after "+what, func() (string, bool) {
			now := l.answered()
			return strconv.Itoa(now - seen), now >= seen+3*connections
		})
	}

	release := 1
	for range rounds(t, 2) {
		kill(m.serveHalf())
		answers("the serving half was killed")
		if n, how := lost(); n > connections {
			t.Errorf("killing the serving half lost %d requests, want at most the %d in flight: %s", n, connections, how)
		}
	}

	for range rounds(t, 2) {
		release++
		s := m.startApply(config(release))
		m.pause(time.Duration(rand.Int64N(int64(4 * time.Second))))
		kill(m.serveHalf())
		if o := s.wait(); o.code != 0 {
			t.Logf("apply while the serving half was killed ended with %d:\n%s", o.code, tail(o.out, 25))
			m.apply(config(release))
		}
		m.oneStackServes(release)
		m.emptyPlan("after the serving half was killed in an apply")
		if n, how := lost(); n > connections {
			t.Errorf("killing the serving half in an apply lost %d requests, want at most the %d in flight: %s", n, connections, how)
		}
	}

	kill(m.instances(strconv.Itoa(release))[:1])
	answers("an instance was killed")
	m.eventually(20*time.Second, "the instance is started again", func() (string, bool) {
		n := len(m.instances(strconv.Itoa(release)))
		return strconv.Itoa(n), n == 2
	})
	if n, how := lost(); n > connections {
		t.Errorf("killing an instance lost %d requests, want at most the %d in flight: %s", n, connections, how)
	}

	for range rounds(t, 2) {
		before := m.holdHalf()
		kill(before)
		m.eventually(20*time.Second, "another half holds the sockets", func() (string, bool) {
			now := m.holdHalf()
			return fmt.Sprint(now), len(now) == 1 && now[0].pid != before[0].pid
		})
		answers("the holding half was killed")
		if n, how := lost(); n > 0 {
			t.Errorf("killing the holding half lost %d requests: %s", n, how)
		}
	}
	m.emptyPlan("after the holding half was killed")

	// Without both it is the next run of Terraform that brings the agent back; the
	// application runs on meanwhile.
	running := m.instances(strconv.Itoa(release))
	m.killAgent()
	release++
	m.apply(config(release))
	answers("both halves were killed")
	m.oneStackServes(release)
	if again := m.instances(strconv.Itoa(release - 1)); len(again) != len(running) || again[0].pid != running[0].pid {
		t.Errorf("the stack of before was not found again: it was %v and is %v", running, again)
	}
	m.emptyPlan("after both halves were killed")

	l.stop()
	l.kept()
	m.destroy()
}

func kill(all []process) {
	for _, p := range all {
		p.kill()
	}
}

// killAgent kills both halves, which are stopped first: each would bring the other back.
func (m *machine) killAgent() {
	m.Helper()
	halves := append(m.holdHalf(), m.serveHalf()...)
	for _, p := range halves {
		_ = syscall.Kill(p.pid, syscall.SIGSTOP)
	}
	kill(halves)
}
