//go:build linux

package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// process is a process of the test's machine.
type process struct {
	pid  int
	args []string
}

func (p process) String() string { return fmt.Sprintf("%d %s", p.pid, strings.Join(p.args, " ")) }

// kill is kill -9.
func (p process) kill() { _ = syscall.Kill(p.pid, syscall.SIGKILL) }

// processes are all that have the test's folder in them.
func (m *machine) processes() []process {
	m.Helper()
	all, err := processesIn(m.dir)
	m.ok(err)
	return all
}

// processesIn are all that have a folder in their arguments, environment, working directory or
// program. Zombies don't count: they wait for a parent to look.
func processesIn(folder string) ([]process, error) {
	var out []process
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		exe, _ := os.Readlink(filepath.Join(dir, "exe"))
		if len(args) == 0 || !strings.Contains(string(args)+"\n"+string(env)+"\n"+cwd+"/\n"+exe, folder+"/") {
			continue
		}
		var words []string
		for word := range bytes.SplitSeq(bytes.TrimRight(args, "\x00"), []byte{0}) {
			words = append(words, string(word))
		}
		out = append(out, process{pid, words})
	}
	return out, nil
}

// find are the processes whose arguments hold all the words, one after the other.
func (m *machine) find(words ...string) []process {
	var out []process
	for _, p := range m.processes() {
		if strings.Contains(" "+strings.Join(p.args, " ")+" ", " "+strings.Join(words, " ")+" ") {
			out = append(out, p)
		}
	}
	return out
}

// serveHalf is the half of the agent that serves, holdHalf the one that holds the sockets.
func (m *machine) serveHalf() []process { return m.find("agent", "serve", "--data-dir", m.data) }
func (m *machine) holdHalf() []process  { return m.find("agent", "--data-dir", m.data) }

// instances are the application's processes of a release.
func (m *machine) instances(release string) []process { return m.find("serve-release", release) }
