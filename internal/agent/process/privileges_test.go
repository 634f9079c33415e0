//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// nobody is an unprivileged user that needs no entry in any file.
const nobody = 65534

// needRoot skips where users cannot be changed.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// opened is a script whose folder everybody may enter.
func opened(t *testing.T, kind Kind, text string) Spec {
	t.Helper()
	spec := script(t, kind, text)
	for _, path := range []string{filepath.Dir(spec.Dir), spec.Dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	spec.RunAs = &User{UID: nobody, GID: nobody}
	return spec
}

func TestStartDropsPrivileges(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, kind := range []Kind{Instance, Task} {
		t.Run("for a "+string(kind), func(t *testing.T) {
			t.Parallel()
			spec := opened(t, kind, "id -u; id -g; id -G; echo again >> /dev/stdout; grep NoNewPrivs /proc/self/status")
			if got := awaitDone(t, begin(t, spec)); got.Code != 0 && runtime.GOOS == "linux" {
				t.Errorf("got %+v", got)
			}
			want := fmt.Sprintf("%d\n%d\n%d\nagain\n", nobody, nobody, nobody)
			if runtime.GOOS == "linux" {
				want += "NoNewPrivs:\t1\n"
			}
			if got := content(t, spec.LogFile); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestStartNamesTheFolderThatIsClosedToTheUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	spec := opened(t, Instance, "")
	closed := filepath.Join(spec.Dir, "closed")
	inner := filepath.Join(closed, "inner")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inner, "app"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(spec.Dir, "link")
	if err := os.Symlink(inner, link); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		dir, command, op string
	}{
		"as working directory":      {inner, "sh", "enter directory"},
		"behind a symbolic link":    {link, "sh", "enter directory"},
		"on the way to the program": {spec.Dir, "closed/inner/app", "execute"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := spec
			spec.LogFile = filepath.Join(t.TempDir(), "log") // of root's own: opened before the drop
			spec.Dir, spec.Command = c.dir, []string{c.command}
			_, err := Start(t.Context(), spec)
			var got *StartError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a StartError", err)
			}
			says := fmt.Sprintf("user %d may not enter %s (drwx------, owned by root)", nobody, closed)
			if got.Op != c.op || !errors.Is(err, syscall.EACCES) || got.Err.Error() != says {
				t.Errorf("got %q, want op %q saying %q", got, c.op, says)
			}
		})
	}
}

func TestStartLooksInPathAsTheTargetUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	spec := opened(t, Task, "")
	for folder, mode := range map[string]os.FileMode{"first": 0o700, "second": 0o755} {
		path := filepath.Join(spec.Dir, folder)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "#!/bin/sh\necho " + folder + "\n"
		if err := os.WriteFile(filepath.Join(path, "app"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	spec.Command = []string{"app"}
	spec.Env = []string{fmt.Sprintf("PATH=%s/first:%s/second", spec.Dir, spec.Dir)}
	awaitDone(t, begin(t, spec))
	if got := content(t, spec.LogFile); got != "second\n" {
		t.Errorf("ran %q, want the one that the user may execute", got)
	}
}
