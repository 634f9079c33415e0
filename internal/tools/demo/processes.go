package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// processesOf lists the processes that were started from dir, work in it, or name it in
// their command line, as "pid command".
func processesOf(ctx context.Context, dir string) ([]string, error) {
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		return processesInProc(dir)
	}
	out, err := exec.CommandContext(ctx, "ps", "-axo", "pid=,command=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir+"/") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found, nil
}

func processesInProc(dir string) ([]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []string
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process that ends while it is looked at has none of these.
		proc := filepath.Join("/proc", e.Name())
		raw, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		program, _ := os.Readlink(filepath.Join(proc, "exe"))
		folder, _ := os.Readlink(filepath.Join(proc, "cwd"))
		command := string(bytes.TrimSpace(bytes.ReplaceAll(raw, []byte{0}, []byte{' '})))
		for _, seen := range []string{command + "/", program, folder + "/"} {
			if strings.Contains(seen, dir+"/") {
				found = append(found, e.Name()+" "+command)
				break
			}
		}
	}
	return found, nil
}
