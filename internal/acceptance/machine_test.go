//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// machine is one test's world: a data directory with its agent, a Terraform working
// directory, and the ports of one environment.
type machine struct {
	testing.TB
	dir  string // everything of the test is below it, so that all of it can be found
	data string
	work string
	// cli is the CLI configuration, which says which build of the provider is used.
	cli            string
	https, preview int
}

// asked skips a test where acceptance tests are not asked for.
func asked(t testing.TB) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	asked(t)
	// Short, as a unix socket's path must be; passable, as applications run as another user.
	dir, err := os.MkdirTemp("/tmp", "slacc-")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		TB: t, dir: dir, data: filepath.Join(dir, "data"), work: filepath.Join(dir, "work"),
		cli: built.cli, https: freePort(t), preview: freePort(t),
	}
	t.Cleanup(m.clean)
	m.ok(os.Chmod(dir, 0o755))
	m.ok(os.Mkdir(m.work, 0o755))
	return m
}

// clean ends what a failed test left running and removes its files.
func (m *machine) clean() {
	if m.Failed() {
		m.Logf("the end of the agent's log:\n%s", tail(m.agentLog(), 60))
	}
	for range 10 {
		left := m.processes()
		for _, p := range left {
			p.kill()
		}
		if len(left) == 0 {
			break
		}
	}
	if m.Failed() && os.Getenv("SLIPWAY_ACC_KEEP") != "" {
		m.Logf("kept %s", m.dir)
		return
	}
	if err := os.RemoveAll(m.dir); err != nil {
		m.Errorf("remove the test's folder: %v", err)
	}
}

func (m *machine) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) agentLog() string {
	text, _ := os.ReadFile(filepath.Join(m.data, "log", "agent.log"))
	return string(text)
}

// nothingLeft holds after the last region was destroyed: no process, no port, no agent, and
// no file but logs.
func (m *machine) nothingLeft() {
	m.Helper()
	m.eventually(10*time.Second, "no process is left", func() (string, bool) {
		left := m.processes()
		return fmt.Sprint(left), len(left) == 0
	})
	for _, port := range []int{m.https, m.preview} {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			m.Errorf("port %d is still taken: %v", port, err)
			continue
		}
		l.Close()
	}
	var files []string
	m.ok(filepath.WalkDir(m.data, func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(m.data, path)
		if err == nil && rel != "." && rel != "log" && !strings.HasPrefix(rel, "log/") {
			files = append(files, rel)
		}
		return err
	}))
	if len(files) > 0 {
		m.Errorf("destroy left files beside logs: %q", files)
	}
	m.soundLog()
}

// soundLog holds of every agent's log.
func (m *machine) soundLog() {
	m.Helper()
	log := m.agentLog()
	for _, bad := range []string{"panic:", "DATA RACE", "fatal error:"} {
		if i := strings.Index(log, bad); i >= 0 {
			m.Errorf("the agent's log has %q:\n%s", bad, log[max(0, i-200):min(len(log), i+4000)])
		}
	}
}

// eventually ends the test unless something becomes true within the limit.
func (m *machine) eventually(limit time.Duration, what string, look func() (seen string, done bool)) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), limit)
	defer cancel()
	_, err := wait.Until(ctx, wait.Options{First: 20 * time.Millisecond, Max: 200 * time.Millisecond}, func(context.Context) (words, bool, error) {
		seen, done := look()
		return words(seen), done, nil
	})
	if err != nil {
		m.Fatalf("%s: %v", what, err)
	}
}

type words string

func (w words) String() string { return string(w) }

// pause lets time pass where nothing tells that it is over.
func (m *machine) pause(d time.Duration) {
	m.Helper()
	m.ok(wait.Real{}.Sleep(m.Context(), d))
}

// nextPort goes through ports below those of outgoing connections and of instances.
var nextPort atomic.Int64

func freePort(t testing.TB) int {
	t.Helper()
	for range 2000 {
		port := 10000 + int(int64(os.Getpid())*13+nextPort.Add(1))%9000
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return 0
}

// tail returns the last lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
