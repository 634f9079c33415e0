//go:build !windows

package postgres_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
)

// agent is another process that keeps a server.
type agent struct {
	command *exec.Cmd
	output  *bufio.Reader
}

func startAgent(t *testing.T, options postgres.Options) *agent {
	t.Helper()
	options.Logger = nil
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), agentOptions+"="+string(text))
	command.Stderr = t.Output()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	started := &agent{command, bufio.NewReader(output)}
	t.Cleanup(started.kill)
	return started
}

// kill ends the agent with SIGKILL.
func (a *agent) kill() {
	if a.command.ProcessState == nil {
		a.command.Process.Kill()
		a.command.Wait()
	}
}

func TestServerOutlivesAKilledAgent(t *testing.T) {
	t.Parallel()
	options := postgrestest.TestOptions(t)
	first := startAgent(t, options)
	t.Cleanup(func() { removeLeft(t, options) })
	line, err := first.output.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	first.kill()

	next := postgrestest.Start(t, options)
	if got := next.Status().PID; got != pid {
		t.Errorf("pid: got %d, want %d: it should have been adopted", got, pid)
	}
}

func TestAgentKilledWhileItMakesAServerIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 700 * time.Millisecond, time.Second} {
		t.Run("after "+delay.String(), func(t *testing.T) {
			options := postgrestest.TestOptions(t)
			t.Cleanup(func() { removeLeft(t, options) })
			first := startAgent(t, options)
			alarm := time.NewTimer(delay)
			defer alarm.Stop()
			<-alarm.C
			first.kill()
			next, err := postgres.New(options)
			if err != nil {
				t.Fatal(err)
			}
			postgrestest.RemoveAfter(t, next)
			// The first attempt may meet a postmaster that had not yet written
			// its postmaster.pid; the next one then adopts it.
			if err := next.Ensure(t.Context()); err != nil {
				t.Logf("first attempt: %v", err)
				await(t, "the server runs", func() bool { return next.Status().State == postgres.Running })
			}
			write(t, next, "kept")
		})
	}
}

// removeLeft removes the server whatever an agent left of it.
func removeLeft(t *testing.T, options postgres.Options) {
	t.Helper()
	server, err := postgres.New(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Remove(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("remove what the agent left: %v", err)
	}
}
