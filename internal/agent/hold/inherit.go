//go:build linux || darwin

package hold

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The variables through which the halves learn what descriptors they were started with.
const (
	holdVariable  = "SLIPWAY_AGENT_HOLD"
	serveVariable = "SLIPWAY_AGENT_SERVE"
)

// estate is what a hold starts with: nothing when an operator starts it, the lock from Spawn, everything
// from a serve whose hold has died or from the hold that it was before an upgrade. Descriptors are
// numbers; 0 is none.
type estate struct {
	// Detach makes the process start itself anew with the rest, as nobody's child, and end.
	Detach bool `json:"detach,omitempty"`
	Lock   int  `json:"lock,omitempty"`
	// Birth is the pipe on which Spawn hears that the agent works.
	Birth     int          `json:"birth,omitempty"`
	Sockets   []heldSocket `json:"sockets,omitempty"`
	Serves    []heir       `json:"serves,omitempty"`
	StopAsked bool         `json:"stop_asked,omitempty"`
}

// heir is a running serve in an estate.
type heir struct {
	Link int `json:"link"`
	PID  int `json:"pid"`
	// Child is true when hold can wait for it.
	Child bool `json:"child,omitempty"`
	// Active is true for the one that supervises, false for those that only finish their connections.
	Active bool `json:"active,omitempty"`
	// Received is what was read from the link and not yet understood.
	Received []byte `json:"received,omitempty"`
}

// legacy is what a serve starts with.
type legacy struct {
	Link int `json:"link"`
	Lock int `json:"lock"`
	// Standby is true when another one supervises still.
	Standby bool `json:"standby,omitempty"`
}

// inherit reads what was left to this process and takes the variable away: what we start must not
// believe that it was meant.
func inherit[T any](variable string) (left T, found bool, err error) {
	text, found := os.LookupEnv(variable)
	if !found {
		return left, false, nil
	}
	if err := os.Unsetenv(variable); err != nil {
		return left, true, fmt.Errorf("clear %s: %w", variable, err)
	}
	if err := json.Unmarshal([]byte(text), &left); err != nil {
		return left, true, fmt.Errorf("decode %s: %w", variable, err)
	}
	return left, true, nil
}

// assignment returns the environment entry that leaves something to a process.
func assignment(variable string, left any) (string, error) {
	text, err := json.Marshal(left)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", variable, err)
	}
	return variable + "=" + string(text), nil
}

// closeOnExec keeps inherited descriptors from those that we start.
func closeOnExec(descriptors ...int) {
	for _, fd := range descriptors {
		if fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
