package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peer is a proxy of others, run in the foreground with a configuration of ours.
type peer struct {
	name    string
	version []string // arguments that make it tell its version
	file    string   // the name of its configuration
	args    func(file string) []string
	// configure is the configuration with which it starts, in which blue serves.
	configure func(s scene, p places) string
	swap      func(s scene, p places, release string) error
}

// places is where a peer has what is its own.
type places struct {
	dir, file      string
	address, admin string // where it listens for clients and for orders
	process        *os.Process
}

func (p places) write(configuration string) error {
	return os.WriteFile(p.file, []byte(configuration), 0o600)
}

func (p places) socket() string { return filepath.Join(p.dir, "admin.sock") }

// start runs the peer until the benchmark ends.
func (peer peer) start(b *testing.B, program string, s scene) contender {
	b.Helper()
	dir, err := os.MkdirTemp("", "slipway-bench-") // short enough for the path of a socket
	must(b, err)
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := places{dir: dir, file: filepath.Join(dir, peer.file), address: freeAddress(b), admin: freeAddress(b)}
	must(b, p.write(peer.configure(s, p)))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(b, err)
	cmd := exec.Command(program, peer.args(p.file)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"HOME=" + dir}, log, log
	must(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if said, err := os.ReadFile(log.Name()); err == nil && b.Failed() {
			b.Logf("%s said:\n%s", peer.name, said)
		}
		_ = log.Close()
	})
	p.process = cmd.Process
	return contender{name: peer.name, address: p.address, pid: cmd.Process.Pid, swap: func(to string) error { return peer.swap(s, p, to) }}
}

// tell is the first line of what the peer says about its version.
func (peer peer) tell(ctx context.Context, program string) string {
	said, _ := exec.CommandContext(ctx, program, peer.version...).CombinedOutput()
	line, _, _ := strings.Cut(string(said), "\n")
	return line
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l := listen(b)
	defer l.Close()
	return l.Addr().String()
}

// other is the release that does not serve while this one does.
func other(release string) string {
	if release == "blue" {
		return "green"
	}
	return "blue"
}
