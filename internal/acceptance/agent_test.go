//go:build linux

package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
)

// agentCommand prepares a command of the agent.
func (m *machine) agentCommand(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append(append([]string{"agent"}, args...), "--data-dir", m.data)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + m.work}
	cmd.Dir = m.work
	return cmd
}

// tryAgent runs a command of the agent, which may fail.
func (m *machine) tryAgent(args ...string) outcome {
	m.Helper()
	cmd := m.agentCommand(built.provider, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		m.Fatal(err)
	}
	return outcome{out: string(out), code: cmd.ProcessState.ExitCode()}
}

// agent runs a command of the agent.
func (m *machine) agent(args ...string) string {
	m.Helper()
	o := m.tryAgent(args...)
	if o.code != 0 {
		m.Fatalf("agent %v ended with %d:\n%s", args, o.code, o.out)
	}
	return o.out
}

// status is what "agent status --json" says.
type status struct {
	Agent   agentapi.Hello `json:"agent"`
	DataDir string         `json:"data_dir"`
	agentapi.Survey
}

func (m *machine) status() status {
	m.Helper()
	var s status
	m.ok(json.NewDecoder(bytes.NewBufferString(m.agent("status", "--json"))).Decode(&s))
	return s
}

// TestAccLocalAgentCommands goes through what an operator does with the agent.
func TestAccLocalAgentCommands(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + slot("1", nil)
	if o := m.tryAgent("status"); o.code != 1 {
		t.Errorf("status without an agent ended with %d:\n%s", o.code, o.out)
	}
	if o := m.tryAgent("stop"); o.code != 0 {
		t.Errorf("stop without an agent ended with %d:\n%s", o.code, o.out)
	}
	m.apply(config)
	s := m.status()
	if len(s.Regions) != 1 || len(s.Environments) != 1 || !s.Environments[0].Ready || len(s.Slots) != 1 || s.Slots[0].Serving != "1" {
		t.Errorf("status says %+v", s)
	}
	t.Logf("status:\n%s", m.agent("status"))
	socket, err := os.Stat(m.data + "/agent.sock")
	if err != nil || socket.Mode().Perm() != 0o600 {
		t.Errorf("the control socket: %v, %v", socket, err)
	}
	second := m.tryAgent()
	if second.code != 1 {
		t.Errorf("a second agent ended with %d:\n%s", second.code, second.out)
	}
	t.Logf("a second agent: %s", second.out)

	m.agent("stop")
	if left := m.processes(); len(left) > 0 {
		t.Errorf("stop left %v", left)
	}
	m.emptyPlan("after a stop")
	m.serves("1")
	m.destroy()
}

// TestAccLocalForegroundAgent runs the agent as systemd would: its end leaves everything
// running, and the next one finds it again.
func TestAccLocalForegroundAgent(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	cmd := m.agentCommand(built.provider)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	m.ok(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	m.eventually(20*time.Second, "the agent answers", func() (string, bool) {
		o := m.tryAgent("status")
		return o.out, o.code == 0
	})
	config := m.base(nil) + database("acme", nil) + shop("1", nil)
	m.apply(config)
	if hold := m.holdHalf(); len(hold) != 1 || hold[0].pid != cmd.Process.Pid {
		t.Errorf("another agent was started: %v", hold)
	}
	l := m.startLoad("acme", 2, 50*time.Millisecond)
	m.eventually(20*time.Second, "orders are placed", func() (string, bool) { return "", l.answered() > 20 })
	l.stop()
	before := m.instances("1")
	server := m.postmaster()

	m.ok(cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the agent ended with %v:\n%s", err, out.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the agent does not end on SIGTERM:\n%s", out.String())
	}
	m.emptyPlan("after the agent was ended")
	if now := m.instances("1"); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the instances are %v, were %v", now, before)
	}
	if now := m.postmaster(); now.pid != server.pid {
		t.Errorf("the database server is %v, was %v", now, server)
	}
	m.serves("1")
	l.lossless()
	m.destroy()
}

// TestAccLocalAgentUpgrade replaces the agent by another build under load: nothing is lost,
// and nothing that it runs is stopped.
func TestAccLocalAgentUpgrade(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	other := filepath.Join(built.dir, "other")
	m.ok(os.Mkdir(other, 0o755))
	m.ok(buildProvider(filepath.Join(other, "terraform-provider-slipway"), "dev2"))
	m.ok(writeCLI(filepath.Join(other, "terraform.rc"), other))
	config := m.base(nil) + database("acme", nil) + shop("1", nil)
	m.apply(config)
	before, server := m.instances("1"), m.postmaster()
	l := m.startLoad("acme", 20, 100*time.Millisecond)
	complete := m.startSlow(t.Context())
	was := m.status().Agent

	for _, build := range []string{filepath.Join(other, "terraform.rc"), built.cli} {
		m.cli = build
		m.emptyPlan("with another build")
		is := m.status().Agent
		if is.PID == was.PID || is.Build == was.Build {
			t.Errorf("the agent is %+v, was %+v", is, was)
		}
		was = is
		seen := l.answered()
		m.eventually(20*time.Second, "orders are placed", func() (string, bool) { return "", l.answered() > seen+200 })
	}
	complete()
	l.stop()
	l.lossless()
	if now := m.instances("1"); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the instances are %v, were %v", now, before)
	}
	if now := m.postmaster(); now.pid != server.pid {
		t.Errorf("the database server is %v, was %v", now, server)
	}
	m.destroy()
}

// postmasters are the first processes of the machine's database servers.
func (m *machine) postmasters() []process {
	m.Helper()
	var out []process
	for _, p := range m.processes() {
		if filepath.Base(p.args[0]) == "postgres" && slices.Contains(p.args, "-D") { // and not who asks for its version
			out = append(out, p)
		}
	}
	return out
}

// postmaster is that of the one database server that runs.
func (m *machine) postmaster() process {
	m.Helper()
	all := m.postmasters()
	if len(all) != 1 {
		m.Fatalf("these database servers run, want one: %v", all)
	}
	return all[0]
}
