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

// orphans returns the processes of the data directory's server that are not
// postmasters: after the postmaster's death they keep its shared memory, and
// no new server may start before they are gone.
func orphans(data string) []int {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var pids []int
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil || !worksIn(pid, data) {
			continue
		}
		// A postmaster's command line begins with its program's path, that of
		// its children with the title they gave themselves.
		title, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err == nil && bytes.HasPrefix(title, []byte("postgres: ")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
