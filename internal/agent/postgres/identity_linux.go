package postgres

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// isPostmaster tells whether the process that a postmaster.pid names is a
// PostgreSQL process of that data directory.
func isPostmaster(said *record, data string) bool {
	return worksIn(said.pid, data)
}

// worksIn tells whether a process is a PostgreSQL process of the data
// directory: every one of them, and hardly anybody else, has it as its working
// directory. Where we may not see that (as root in a container, without the
// right to trace), the command line that we started a postmaster with tells,
// or the title of its children.
func worksIn(pid int, data string) bool {
	process := filepath.Join("/proc", strconv.Itoa(pid))
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	if err != nil || string(bytes.TrimSpace(name)) != "postgres" {
		return false
	}
	here, err := os.Stat(filepath.Join(process, "cwd"))
	if errors.Is(err, fs.ErrPermission) {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		return err == nil && (bytes.Contains(line, []byte("\x00-D\x00"+data+"\x00")) ||
			bytes.HasPrefix(line, []byte("postgres: "+clusterName(data)+": ")))
	}
	if err != nil {
		return false
	}
	there, err := os.Stat(data)
	return err == nil && os.SameFile(here, there)
}

// orphans returns the processes that work in the data directory. After the
// postmaster's death its children keep its shared memory, even while they are
// exiting, and no new server may start before they are gone.
func orphans(data string) []int {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var pids []int
	for _, process := range processes {
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil && worksIn(pid, data) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isChild tells whether a process is a postmaster's child. A postmaster's
// command line begins with its program's path, that of its children with the
// title they gave themselves.
func isChild(pid int) bool {
	title, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && bytes.HasPrefix(title, []byte("postgres: "))
}
