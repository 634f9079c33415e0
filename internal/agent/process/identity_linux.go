package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is what the kernel counts CPU time in towards programs, on every architecture that Go knows.
const tick = 10 * time.Millisecond

// bootID reads the identifier that the kernel draws at every boot.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// look observes one process. It returns ErrGone when there is none.
func look(pid int) (status, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return status{}, ErrGone
	}
	if err != nil {
		return status{}, fmt.Errorf("read status of process %d: %w", pid, err)
	}
	return parseStat(pid, string(text))
}

// parseStat reads the fields of proc_pid_stat(5). The second one, the name in parentheses, may itself
// hold spaces and parentheses: what follows the last one counts.
func parseStat(pid int, text string) (status, error) {
	const state, group, session, user, childrenSystem, startTime = 3, 5, 6, 14, 17, 22
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= startTime-state {
		return status{}, fmt.Errorf("read status of process %d: %d fields are too few", pid, len(fields))
	}
	s := status{pid: pid, zombie: strings.ContainsAny(fields[0], "ZXx")}
	var errs [4]error
	s.group, errs[0] = strconv.Atoi(fields[group-state])
	s.session, errs[1] = strconv.Atoi(fields[session-state])
	s.startTime, errs[2] = strconv.ParseUint(fields[startTime-state], 10, 64)
	for _, field := range fields[user-state : childrenSystem-state+1] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		s.used += time.Duration(ticks) * tick
		errs[3] = errors.Join(errs[3], err)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return status{}, fmt.Errorf("read status of process %d: %w", pid, err)
	}
	return s, nil
}

// all observes every process that we may see.
func all() ([]status, error) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []status
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		s, err := look(pid)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, nil
}
