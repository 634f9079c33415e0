//go:build linux

package acceptance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

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
