package postgres

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// isPostmaster tells whether the process that a postmaster.pid names is a
// PostgreSQL process of that data directory: every one of them, and hardly
// anybody else, has it as its working directory.
func isPostmaster(said *record, data string) bool {
	return worksIn(said.pid, data)
}

func worksIn(pid int, data string) bool {
	process := filepath.Join("/proc", strconv.Itoa(pid))
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	if err != nil || string(bytes.TrimSpace(name)) != "postgres" {
		return false
	}
	here, err := os.Stat(filepath.Join(process, "cwd"))
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
