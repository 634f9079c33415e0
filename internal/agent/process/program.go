//go:build linux || darwin

package process

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// findProgram returns the absolute path of a program as the user that we are now can execute it.
func findProgram(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if err := executable(path); err != nil {
			return "", &StartError{Op: "execute", Path: path, Err: explainPath(path, err)}
		}
		return path, nil
	}
	search := lookup(env, "PATH")
	for _, folder := range filepath.SplitList(search) {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		if path := filepath.Join(folder, name); executable(path) == nil {
			return path, nil
		}
	}
	text := fmt.Sprintf("no program of that name that %s may execute is in PATH %q", whoWeAre(), search)
	if search == "" {
		text = "its environment has no PATH to look it up in"
	}
	return "", &StartError{Op: "find command", Path: name, Err: &cause{Text: text, Errno: syscall.ENOENT}}
}

func lookup(env []string, name string) string {
	value := ""
	for _, variable := range env {
		if n, v, _ := strings.Cut(variable, "="); n == name {
			value = v
		}
	}
	return value
}

// executable returns why the path is no program for us.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &cause{Text: "is a directory", Errno: syscall.EISDIR}
	}
	return unix.Access(path, unix.X_OK)
}

// explainPath finds the part of an absolute path that is in the way.
func explainPath(path string, err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if text := obstacle(path, errno, 0); text != "" {
		return &cause{Text: text, Errno: errno}
	}
	return err
}

// obstacle describes the first component of the path that stops the user that we are; "" if none does.
// It follows symbolic links, depth of them so far.
func obstacle(path string, errno syscall.Errno, depth int) string {
	const tooDeep = 40
	parts := strings.Split(strings.Trim(filepath.Clean(path), "/"), "/")
	for i := range len(parts) + 1 {
		prefix := "/" + strings.Join(parts[:i], "/")
		info, err := os.Lstat(prefix)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("%s does not exist", prefix)
		}
		if err != nil {
			return ""
		}
		if info.Mode()&fs.ModeSymlink != 0 && depth < tooDeep {
			target, err := os.Readlink(prefix)
			if err != nil {
				return ""
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(prefix), target)
			}
			return obstacle(filepath.Join(append([]string{target}, parts[i:]...)...), errno, depth+1)
		}
		if errno == syscall.EACCES && unix.Access(prefix, unix.X_OK) != nil {
			verb := "execute"
			if info.IsDir() {
				verb = "enter"
			}
			return fmt.Sprintf("%s may not %s %s (%s, owned by %s)", whoWeAre(), verb, prefix, info.Mode(), owner(info))
		}
		if i < len(parts) && !info.IsDir() {
			return fmt.Sprintf("%s is not a directory", prefix)
		}
	}
	return ""
}

// explainExecve adds what the kernel's errno leaves out about a program that is there.
func explainExecve(path string, err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	interpreter := interpreterOf(path)
	switch {
	case errno == syscall.ENOEXEC:
		return &cause{Text: "is neither a program for this machine nor a script that starts with #!", Errno: errno}
	case errno == syscall.ENOENT && interpreter != "":
		return &cause{Text: fmt.Sprintf("its interpreter %s does not exist", interpreter), Errno: errno}
	case errno == syscall.ENOENT:
		return &cause{Text: "its dynamic loader does not exist: it was built for another system", Errno: errno}
	case errno == syscall.EACCES && interpreter != "":
		return &cause{Text: fmt.Sprintf("%s may not execute its interpreter %s", whoWeAre(), interpreter), Errno: errno}
	case errno == syscall.EACCES:
		return &cause{Text: fmt.Sprintf("%s may not execute it (is its file system mounted noexec?)", whoWeAre()), Errno: errno}
	default:
		return err
	}
}

// interpreterOf returns what the first line of a script names, "" for anything else.
func interpreterOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 256).ReadSlice('\n')
	rest, found := strings.CutPrefix(string(line), "#!")
	words := strings.Fields(rest)
	if !found || len(words) == 0 {
		return ""
	}
	return words[0]
}

func whoWeAre() string { return fmt.Sprintf("user %d", os.Geteuid()) }

func owner(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "somebody"
	}
	if stat.Uid == 0 {
		return "root"
	}
	return fmt.Sprintf("user %d", stat.Uid)
}
