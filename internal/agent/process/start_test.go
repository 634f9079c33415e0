//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestStartGivesTheCommandNothingButItsSpec(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "inherited") // so not parallel
	for _, kind := range []Kind{Instance, Task} {
		t.Run("its environment is exactly that of the spec for a "+string(kind), func(t *testing.T) {
			spec := script(t, kind, "")
			spec.Command = []string{"env"}
			spec.Env = []string{"PATH=/usr/bin:/bin", "PORT=1234", "PASSWORD=a=b c"}
			if got := awaitDone(t, begin(t, spec)); got != (Exit{Known: true}) {
				t.Fatalf("got %+v, want success", got)
			}
			got := strings.Split(strings.TrimSpace(content(t, spec.LogFile)), "\n")
			slices.Sort(got)
			want := []string{"PASSWORD=a=b c", "PATH=/usr/bin:/bin", "PORT=1234"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("it inherits no descriptor for a "+string(kind), func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("needs /proc")
			}
			spec := script(t, kind, "ls /proc/$$/fd; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2")
			leak, err := os.Open(os.Args[0])
			if err != nil {
				t.Fatal(err)
			}
			defer leak.Close()
			if _, err := unix.FcntlInt(leak.Fd(), unix.F_SETFD, 0); err != nil { // as a careless library would
				t.Fatal(err)
			}
			p := begin(t, spec)
			awaitDone(t, p)
			got := strings.Fields(content(t, spec.LogFile))
			if diff := cmp.Diff([]string{"0", "1", "2", "/dev/null", spec.LogFile, spec.LogFile}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStartLeadsASessionOfItsOwn(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "umask; ulimit -c; exec sleep 600")
	p := begin(t, spec)
	s, err := look(p.Identity().PID)
	if err != nil {
		t.Fatal(err)
	}
	pid := p.Identity().PID
	if s.session != pid || s.group != pid {
		t.Errorf("got session %d and group %d, want both %d", s.session, s.group, pid)
	}
	awaitContent(t, spec.LogFile, "0077\n0\n")
	info, err := os.Stat(spec.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o640 {
		t.Errorf("log has mode %v, want 0640", info.Mode().Perm())
	}
}

func TestStartRecordsBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "echo ran; exec sleep 600")
	spec.Env = append(spec.Env, "PASSWORD=open-sesame")
	var recorded Identity
	spec.Record = func(id Identity) error {
		recorded = id
		if _, err := os.Stat(spec.LogFile); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the shim has begun before it was recorded")
		}
		for _, file := range []string{"cmdline", "environ"} {
			if strings.Contains(content(t, filepath.Join("/proc", strconv.Itoa(id.PID), file)), "open-sesame") {
				t.Errorf("the shim shows the secret in its %s", file)
			}
		}
		return nil
	}
	p := begin(t, spec)
	if recorded != p.Identity() {
		t.Errorf("recorded %v, runs as %v", recorded, p.Identity())
	}
	awaitContent(t, spec.LogFile, "ran")
	if now, err := identify(recorded.PID); err != nil || now != recorded {
		t.Errorf("the command is %v (%v), the shim was %v", now, err, recorded)
	}
}

func TestStartLeavesNothingWhen(t *testing.T) {
	t.Parallel()
	refused := errors.New("disk is full")
	cases := map[string]struct {
		record func(context.CancelFunc) error
		want   error
	}{
		"the identity cannot be recorded": {func(context.CancelFunc) error { return refused }, refused},
		"it is called off meanwhile":      {func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
	}
	for name, c := range cases {
		for _, kind := range []Kind{Instance, Task} {
			t.Run(name+", a "+string(kind), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				spec := script(t, kind, "exec sleep 600")
				var id Identity
				spec.Record = func(recorded Identity) error {
					id = recorded
					return c.record(cancel)
				}
				if _, err := Start(ctx, spec); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				assertEmptySession(t, id)
				if err := id.verify(); !errors.Is(err, ErrGone) {
					t.Errorf("shim: got %v, want ErrGone", err)
				}
			})
		}
	}
}

func TestStartSaysWhyACommandCannotRun(t *testing.T) {
	t.Parallel()
	files := map[string]string{ // content by name; made before anything forks, see ETXTBSY in execve(2)
		"text": "hello", "lost": "#!/nowhere/perl -w\n", "garbage": "\x00\x01\x02",
	}
	dir := t.TempDir()
	for name, text := range files {
		mode := fs.FileMode(0o755)
		if name == "text" {
			mode = 0o644
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		change func(*Spec)
		op     string
		errno  syscall.Errno
		says   string
	}{
		"a program that is nowhere in PATH": {
			func(s *Spec) { s.Command = []string{"no-such-program"} }, "find command", syscall.ENOENT, `in PATH "/usr/bin:/bin"`},
		"no PATH at all": {
			func(s *Spec) { s.Command, s.Env = []string{"sh"}, nil }, "find command", syscall.ENOENT, "has no PATH"},
		"a path that does not exist, relative to the directory": {
			func(s *Spec) { s.Command = []string{"bin/app"} }, "execute", syscall.ENOENT, filepath.Join(dir, "bin") + " does not exist"},
		"a file that is not executable": {
			func(s *Spec) { s.Command = []string{"./text"} }, "execute", syscall.EACCES, "may not execute " + filepath.Join(dir, "text") + " (-rw-r--r--"},
		"a path through a file": {
			func(s *Spec) { s.Command = []string{"./text/app"} }, "execute", syscall.ENOTDIR, "text is not a directory"},
		"a directory": {
			func(s *Spec) { s.Command = []string{"/tmp"} }, "execute", syscall.EISDIR, "is a directory"},
		"a script without its interpreter": {
			func(s *Spec) { s.Command = []string{"./lost"} }, "execute", syscall.ENOENT, "interpreter /nowhere/perl does not exist"},
		"something that is no program": {
			func(s *Spec) { s.Command = []string{"./garbage"} }, "execute", syscall.ENOEXEC, "neither a program for this machine"},
		"a working directory that does not exist": {
			func(s *Spec) { s.Dir = filepath.Join(dir, "a/b") }, "enter directory", syscall.ENOENT, filepath.Join(dir, "a") + " does not exist"},
		"a log in a directory that does not exist": {
			func(s *Spec) { s.LogFile = filepath.Join(dir, "a/log") }, "open log", syscall.ENOENT, "no such file"},
	}
	for name, c := range cases {
		for _, kind := range []Kind{Instance, Task} {
			t.Run(name+", a "+string(kind), func(t *testing.T) {
				t.Parallel()
				spec := script(t, kind, "")
				spec.Dir = dir
				c.change(&spec)
				_, err := Start(t.Context(), spec)
				var got *StartError
				if !errors.As(err, &got) {
					t.Fatalf("got %v, want a StartError", err)
				}
				if got.Op != c.op || !errors.Is(err, c.errno) || !strings.Contains(got.Error(), c.says) {
					t.Errorf("got op %q, %q; want op %q, %v, saying %q", got.Op, got, c.op, c.errno, c.says)
				}
				if kind == Task {
					r, err := ReadResult(spec.ResultFile)
					if err != nil || !strings.Contains(r.StartError, c.says) {
						t.Errorf("result is %+v (%v)", r, err)
					}
				}
			})
		}
	}
}

func TestStartRefusesASpecThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Spec{Kind: "daemon", Dir: "relative", Env: []string{"hunter2"}})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{`kind is "daemon"`, "command is empty", `directory "relative"`, "log file", "shim command", "NAME=value"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the error shows an environment entry")
	}
}

func TestStartReportsAShimThatIsNone(t *testing.T) {
	t.Parallel()
	spec := script(t, Instance, "")
	spec.ShimCommand = []string{"/bin/cat"}
	_, err := Start(t.Context(), spec)
	var permanent *StartError
	if err == nil || errors.As(err, &permanent) {
		t.Errorf("got %v, want an error that is no StartError", err)
	}
}
