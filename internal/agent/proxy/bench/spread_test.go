package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// spread is what the same measurement gave each time.
type spread []float64

func (s spread) median() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s))[len(s)/2]
}

// String is the least, the median and the greatest.
func (s spread) String() string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f / %.2f / %.2f", slices.Min(s), s.median(), slices.Max(s))
}

// over divides one by one, which leaves out what met both.
func (s spread) over(t spread) spread {
	ratios := make(spread, len(s))
	for i := range s {
		ratios[i] = s[i] / t[i]
	}
	return ratios
}

// table lines up rows of cells.
func table(rows [][]string) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	return out.String()
}

// machine tells what this runs on and how busy that is.
func machine() string {
	busy := "unknown"
	if averages, err := os.ReadFile("/proc/loadavg"); err == nil {
		busy = strings.Join(strings.Fields(string(averages))[:3], " ")
	}
	return fmt.Sprintf("%d cores, %s/%s, %s, load average %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), busy)
}

// peakMemory is the most memory in MiB that a process has held so far, with the processes that
// it has now; "-" where that can't be told.
func peakMemory(pid int) string {
	var sum int
	for _, p := range append(childrenOf(pid), pid) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		if fields := strings.Fields(rest); len(fields) > 0 {
			kib, _ := strconv.Atoi(fields[0])
			sum += kib
		}
	}
	if sum == 0 {
		return "-"
	}
	return strconv.Itoa(sum / 1024)
}

func childrenOf(pid int) (children []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		content, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(content)) {
			if n, err := strconv.Atoi(child); err == nil {
				children = append(children, n)
			}
		}
	}
	return children
}
