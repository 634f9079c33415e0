package process

import (
	"errors"
	"fmt"
	"time"
)

// ErrGone says that the process of an identity does not run any more. A zombie does not run.
var ErrGone = errors.New("process is gone")

// Identity names one process for as long as the machine is up, although process ids are used again.
type Identity struct {
	PID int `json:"pid"`
	// StartTime is opaque: clock ticks since boot on Linux, microseconds since 1970 on macOS.
	StartTime uint64 `json:"start_time"`
	// BootID changes with every start of the machine.
	BootID string `json:"boot_id"`
}

// String returns the identity for messages.
func (i Identity) String() string {
	return fmt.Sprintf("process %d (started at %d)", i.PID, i.StartTime)
}

// status is one observation of a process.
type status struct {
	pid       int
	group     int
	session   int
	startTime uint64
	zombie    bool
	used      time.Duration // of CPU, also by children it has waited for; Linux only
}
