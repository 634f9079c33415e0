package memtarget

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ErrKilled is what every call of a killed client returns. It matches no sentinel of package
// target, since a process that was killed retries nothing.
var ErrKilled = errors.New("this process was killed")

// Mode is how a call fails.
type Mode int

// Modes of failing. The first two return [target.ErrUnavailable], the others [ErrKilled].
const (
	// Refuse fails the call before it does anything.
	Refuse Mode = iota + 1
	// LoseAnswer does what the call asks and loses its answer.
	LoseAnswer
	// KillBefore kills the client before the call does anything.
	KillBefore
	// KillAfter does what the call asks and kills the client before it learns of it.
	KillAfter
)

func (m Mode) String() string {
	return [...]string{"none", "refused", "answer lost", "killed before", "killed after"}[m]
}

// kind tells calls that only read from calls that may change something.
type kind bool

const (
	reads   kind = false
	changes kind = true
)

// fault waits for a call.
type fault struct {
	at          int // the number of the call, or of the change
	changesOnly bool
	mode        Mode
}

// faults counts the calls of one client and makes some of them fail.
type faults struct {
	mu     sync.Mutex
	calls  int
	change int
	counts map[string]int
	armed  []fault
	struck int
	killed bool
}

func newFaults() *faults { return &faults{counts: map[string]int{}} }

// strike counts a call. It returns err if the call must not be done, and after if it must be
// done and its answer replaced.
func (f *faults) strike(method string, k kind) (after, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.killed {
		return nil, ErrKilled
	}
	f.calls++
	f.counts[method]++
	if k == changes {
		f.change++
	}
	for i, a := range f.armed {
		if a.changesOnly && (k == reads || a.at != f.change) || !a.changesOnly && a.at != f.calls {
			continue
		}
		f.armed = append(f.armed[:i:i], f.armed[i+1:]...)
		f.struck++
		f.killed = a.mode == KillBefore || a.mode == KillAfter
		switch a.mode {
		case Refuse:
			return nil, target.Errorf(target.ErrUnavailable, "%s (call %d): the target can't be reached", method, f.calls)
		case LoseAnswer:
			return target.Errorf(target.ErrUnavailable, "%s (call %d): the answer was lost", method, f.calls), nil
		case KillBefore:
			return nil, fmt.Errorf("%s (call %d), not done: %w", method, f.calls, ErrKilled)
		default:
			return fmt.Errorf("%s (call %d), done: %w", method, f.calls, ErrKilled), nil
		}
	}
	return nil, nil
}

func (f *faults) arm(n int, m Mode, changesOnly bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.calls + n
	if changesOnly {
		at = f.change + n
	}
	f.armed = append(f.armed, fault{at: at, changesOnly: changesOnly, mode: m})
}

// FailCall makes the n-th call of this client from now on fail; 1 is the next one.
func (t *Target) FailCall(n int, m Mode) { t.faults.arm(n, m, false) }

// FailChange is FailCall that counts only calls that may change something, leases included.
func (t *Target) FailChange(n int, m Mode) { t.faults.arm(n, m, true) }

// Struck is how many faults have struck: a loop over all n ends when the n-th struck nothing.
func (t *Target) Struck() int {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	return t.faults.struck
}

// Kill makes every call fail with [ErrKilled].
func (t *Target) Kill() {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.killed = true
}

// Revive ends the effect of a kill and forgets faults that have not struck.
func (t *Target) Revive() {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.killed, t.faults.armed = false, nil
}

// Calls is how many calls this client made, those that failed included, those of a killed
// client not.
func (t *Target) Calls() int {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	return t.faults.calls
}

// Counts is how many calls this client made of each method.
func (t *Target) Counts() map[string]int {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	return maps.Clone(t.faults.counts)
}
