//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// agent is a running agent under test.
type agent struct {
	t       *testing.T
	dataDir string
	bin     string
}

// newAgent returns an agent that is not started. At the end of the test none of its processes may be
// left; those that are get killed.
func newAgent(t *testing.T) *agent {
	t.Helper()
	a := &agent{t: t, dataDir: t.TempDir(), bin: t.TempDir()}
	t.Cleanup(a.clear)
	return a
}

func startAgent(t *testing.T) *agent {
	t.Helper()
	a := newAgent(t)
	a.spawn("v1")
	return a
}

// executable returns the test binary under the name of a version.
func (a *agent) executable(version string) string {
	a.t.Helper()
	path := filepath.Join(a.bin, version)
	own, err := os.Executable()
	if err != nil {
		a.t.Fatal(err)
	}
	err = os.Link(own, path)
	if err != nil && !errors.Is(err, os.ErrExist) { // another file system, or another user's file
		err = exec.Command("cp", own, path).Run()
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		a.t.Fatal(err)
	}
	return path
}

func (a *agent) spawn(version string) {
	a.t.Helper()
	if err := spawnAgent(a.t.Context(), a.executable(version), a.dataDir); err != nil {
		a.t.Fatal(err)
	}
}

// clear asks the agent to end if it runs, then looks for what is left.
func (a *agent) clear() {
	if conn, err := DialUnix(context.Background(), SocketPath(a.dataDir)); err == nil {
		_, _ = io.WriteString(conn, "bye\n")
		_, _ = io.ReadAll(conn)
		_ = conn.Close()
	}
	left := func() bool { return len(a.processes("")) > 0 }
	if !settles(10*time.Second, func() bool { return !left() }) {
		a.t.Errorf("left over: %v", a.processes(""))
		for pid := range a.processes("") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if text, err := os.ReadFile(filepath.Join(a.dataDir, "two-supervisors")); err == nil {
		a.t.Errorf("two supervisors: %s", text)
	}
	log, _ := os.ReadFile(filepath.Join(a.dataDir, "agent.log")) // none if it was never spawned
	if strings.Contains(string(log), "DATA RACE") {
		a.t.Error("the agent has a data race")
	}
	if a.t.Failed() {
		a.t.Logf("agent.log:\n%s", log)
	}
}

// processes returns the command lines, by process id, of this agent's living processes in a role.
func (a *agent) processes(role string) map[int]string {
	output, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,stat=,args=").Output()
	if err != nil {
		a.t.Fatal(err)
	}
	found := map[int]string{}
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		pid, err := strconv.Atoi(fields[0])
		if err != nil || strings.HasPrefix(fields[1], "Z") {
			continue
		}
		if strings.HasSuffix(strings.TrimSpace(line), role+" "+a.dataDir) {
			found[pid] = strings.TrimSpace(line)
		}
	}
	return found
}

// ask sends a line to the control socket and returns the answer.
func (a *agent) ask(line string) (string, error) {
	conn, err := DialUnix(a.t.Context(), SocketPath(a.dataDir))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return string(answer), err
}

func (a *agent) mustAsk(line string) string {
	a.t.Helper()
	answer, err := a.ask(line)
	if err != nil {
		a.t.Fatalf("ask %q: %v", line, err)
	}
	return answer
}

// serve returns version and process id of the serve that answers.
func (a *agent) serve() (version string, pid int) {
	a.t.Helper()
	a.eventually("serve answers", func() bool {
		answer, err := a.ask("who")
		if err != nil {
			return false
		}
		_, err = fmt.Sscan(answer, &version, &pid)
		return err == nil
	})
	return version, pid
}

func (a *agent) hold() Info {
	a.t.Helper()
	info, err := ReadInfo(a.dataDir)
	if err != nil {
		a.t.Fatal(err)
	}
	return info
}

// front returns the address that connections go to.
func (a *agent) front() string {
	a.t.Helper()
	var address []byte
	a.eventually("the front is known", func() bool {
		var err error
		address, err = os.ReadFile(filepath.Join(a.dataDir, "front"))
		return err == nil
	})
	return string(address)
}

func (a *agent) kill(pid int) {
	a.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		a.t.Fatalf("kill %d: %v", pid, err)
	}
}

// killServe kills the serve and waits for the next one.
func (a *agent) killServe() {
	a.t.Helper()
	_, old := a.serve()
	a.kill(old)
	a.eventually("another serve answers", func() bool { _, pid := a.serve(); return pid != old })
}

// killHold kills the hold and waits for the next one.
func (a *agent) killHold() {
	a.t.Helper()
	old := a.hold().PID
	a.kill(old)
	a.eventually("another hold is there", func() bool { return a.hold().PID != old })
}

// assertRefusesSecond starts another hold in the foreground.
func (a *agent) assertRefusesSecond() {
	a.t.Helper()
	output, err := exec.Command(a.executable("v1"), commands(a.dataDir).Hold...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitRunning {
		a.t.Errorf("second hold: got %v, want exit code %d", err, exitRunning)
	}
	if want := fmt.Sprintf("process %d, version v1", a.hold().PID); !strings.Contains(string(output), want) {
		a.t.Errorf("second hold says %q, want %q", output, want)
	}
}

func (a *agent) assertNoFiles() {
	a.t.Helper()
	for _, path := range []string{infoPath(a.dataDir), lockPath(a.dataDir), SocketPath(a.dataDir)} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			a.t.Errorf("%s is left (%v)", filepath.Base(path), err)
		}
	}
}

func (a *agent) eventually(what string, holds func() bool) {
	a.t.Helper()
	if !settles(30*time.Second, holds) {
		a.t.Fatalf("waited in vain until %s", what)
	}
}

// settles polls until the condition holds or time is up.
func settles(limit time.Duration, holds func() bool) bool {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(limit)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// load connects to an address again and again.
type load struct {
	answered, refused, cut atomic.Int64
	last                   atomic.Value // an error
	stopped                chan struct{}
	group                  sync.WaitGroup
}

func startLoad(t *testing.T, address string) *load {
	t.Helper()
	l := &load{stopped: make(chan struct{})}
	for range 4 {
		l.group.Go(func() {
			for {
				select {
				case <-l.stopped:
					return
				default:
					l.count(visit(address))
				}
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) count(err error) {
	switch {
	case err == nil:
		l.answered.Add(1)
		return
	case errors.Is(err, syscall.ECONNREFUSED):
		l.refused.Add(1)
	default:
		l.cut.Add(1)
	}
	l.last.Store(err.Error())
}

func (l *load) stop() {
	select {
	case <-l.stopped:
	default:
		close(l.stopped)
	}
	l.group.Wait()
}

// grow waits for that many more answers.
func (l *load) grow(a *agent, more int64) {
	a.t.Helper()
	goal := l.answered.Load() + more
	a.eventually("there are more answers", func() bool { return l.answered.Load() >= goal })
}

// visit makes one connection and gets one answer.
func visit(address string) error {
	conn, err := net.DialTimeout("tcp", address, 20*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("?")); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}
