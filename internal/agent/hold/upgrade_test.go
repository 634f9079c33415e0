//go:build linux || darwin

package hold

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpgradeUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	for _, replaced := range []bool{false, true} {
		name := "with the first hold"
		if replaced {
			name = "with a hold that replaced a dead one"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			if replaced {
				a.killHold()
			}
			l := startLoad(t, a.front())
			held := a.hold()
			for _, version := range []string{"v2", "v3"} {
				l.grow(a, 20)
				a.upgrade(version)
				l.grow(a, 20)
			}
			if n := l.refused.Load() + l.cut.Load(); n != 0 {
				t.Errorf("%d connections lost (%v)", n, l.last.Load())
			}
			if now := a.hold(); now.PID != held.PID || now.Executable != a.executable("v3") {
				t.Errorf("hold was %+v and is %+v", held, now)
			}
			a.killServe()
			if version, _ := a.serve(); version != "v3" {
				t.Errorf("the next serve is %s, want v3", version)
			}
			a.killHold()
			a.killServe()
			if version, _ := a.serve(); version != "v3" {
				t.Errorf("the next serve is %s, want v3", version)
			}
			a.eventually("only one serve is left", func() bool { return len(a.processes("serve")) == 1 })
			if got := a.processes("hold"); len(got) != 1 {
				t.Errorf("got %v, want one hold", got)
			}
		})
	}
}

// upgrade upgrades the agent and waits until hold is the new executable too.
func (a *agent) upgrade(version string) {
	a.t.Helper()
	if answer := a.mustAsk("upgrade " + a.executable(version)); answer != "<nil>" {
		a.t.Fatalf("upgrade to %s: %s", version, answer)
	}
	a.eventually("hold is "+version, func() bool { return a.hold().Version == version })
	if now, _ := a.serve(); now != version {
		a.t.Errorf("serve is %s, want %s", now, version)
	}
}

func TestUpgradeLetsTheOldServeFinish(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	_, old := a.serve()
	conn, err := net.Dial("tcp", a.front())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a.eventually("the connection was accepted", func() bool { return visit(a.front()) == nil })
	a.upgrade("v2")
	if _, err := conn.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if want := fmt.Sprintf("v1 %d", old); err != nil || string(answer) != want {
		t.Errorf("got %q, %v; want %q", answer, err, want)
	}
	a.eventually("the old serve is gone", func() bool { return !alive(old) }) // waited for by the new hold
}

func TestUpgradeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ version, says string }{
		"to what is no agent":                  {mute, "what is a handshake"},
		"to another protocol":                  {foreign, "version foreign speaks protocol 99"},
		"to a serve that dies":                 {broken, "ended several times before it was ready"},
		"to an executable that does not exist": {"", "no such file"},
		"to a path that is not absolute":       {"relative", "is not an absolute path"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			held := a.hold()
			version, serving := a.serve()
			executable := filepath.Join(a.bin, "missing")
			switch c.version {
			case "":
			case "relative":
				executable = c.version
			default:
				executable = a.executable(c.version)
			}
			if answer := a.mustAsk("upgrade " + executable); !strings.Contains(answer, c.says) {
				t.Errorf("got %q, want it to say %q", answer, c.says)
			}
			if now, pid := a.serve(); now != version || pid != serving {
				t.Errorf("serve was %s %d and is %s %d", version, serving, now, pid)
			}
			if now := a.hold(); now != held {
				t.Errorf("hold was %+v and is %+v", held, now)
			}
			a.upgrade("v2") // the next one is not in the way of the last one
		})
	}
}

func TestUpgradeThatHoldCannotFollowKeepsTheNewServe(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	held := a.hold()
	if answer := a.mustAsk("upgrade " + a.executable(vanishing)); answer != "<nil>" {
		t.Fatal(answer)
	}
	a.eventually("the new serve answers", func() bool { version, _ := a.serve(); return version == vanishing })
	if now := a.hold(); now.PID != held.PID {
		t.Errorf("hold was %+v and is %+v", held, now)
	}
	a.killServe() // the only executable left is hold's own
	if version, _ := a.serve(); version != "v1" {
		t.Errorf("serve is %s, want v1", version)
	}
}

func TestUpgradeWhoseOldServeDiesIsFinished(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	_, old := a.serve()
	conn, err := DialUnix(t.Context(), SocketPath(a.dataDir))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "upgrade "+a.executable(late)+"\n"); err != nil {
		t.Fatal(err)
	}
	a.eventually("the new serve is started", func() bool { return len(a.processes("serve")) == 2 })
	a.kill(old)
	a.eventually("hold is "+late, func() bool { return a.hold().Version == late })
	if err := os.WriteFile(filepath.Join(a.dataDir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if version, _ := a.serve(); version != late {
		t.Errorf("serve is %s, want %s", version, late)
	}
}

func TestUpgradeInWhichHoldDiesChangesNothing(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	version, serving := a.serve()
	answered := make(chan string, 1)
	go func() {
		answer, err := a.ask("upgrade " + a.executable(late))
		answered <- fmt.Sprint(answer, err)
	}()
	a.eventually("the new serve is started", func() bool { return len(a.processes("serve")) == 2 })
	a.killHold()
	if answer := <-answered; !strings.Contains(answer, "hold died meanwhile") {
		t.Errorf("got %q", answer)
	}
	if err := os.WriteFile(filepath.Join(a.dataDir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.eventually("the new serve has ended", func() bool { return len(a.processes("serve")) == 1 })
	if now, pid := a.serve(); now != version || pid != serving {
		t.Errorf("serve was %s %d and is %s %d", version, serving, now, pid)
	}
	a.upgrade("v2")
}
