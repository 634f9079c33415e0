package decide

import (
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// put makes a stack what it is to be.
func (f Facts) put(want target.StackSpec) *Decision {
	if st, there := f.Seen.Stacks[want.Color]; there && target.Same(want, st.Spec) {
		return nil
	}
	return &Decision{Do: PutStack, Stack: want}
}

// settleLimit is how long a target may go on to show what was there before, after a stack was repaired.
// It is enough for a scaler to bring a size into its bounds.
const settleLimit = time.Minute

// repair puts a stack again that somebody else has changed, once. What goes on to be seen otherwise does
// not go away by waiting: nothing keeps the release from serving, and whoever looks is told of it. What
// instances are replaced for takes as long as a start.
func (f Facts) repair(c target.Color) *Decision {
	if d := f.putAgain(c); d != nil {
		return d
	}
	st, at := f.Seen.Stacks[c], f.Repaired[c]
	switch {
	case len(st.Mending) > 0 && f.waited() < f.startLimit():
		return wait()
	case len(st.Mending) > 0:
		return stop("what somebody else has changed could not be repaired: " + strings.Join(st.Mending, "; "))
	case len(st.Drift) > 0 && f.Now.Sub(at) < settleLimit:
		return wait()
	}
	return nil
}

// putAgain puts a stack that somebody else has changed, unless this run has done so.
func (f Facts) putAgain(c target.Color) *Decision {
	st := f.Seen.Stacks[c]
	if _, done := f.Repaired[c]; done || len(st.Drift) == 0 {
		return nil
	}
	return &Decision{Do: RepairStack, Stack: st.Spec}
}

// free makes a stack what its definition says and lets its size follow its load.
func (f Facts) free(c target.Color, d target.Definition) *Decision {
	st, there := f.Seen.Stacks[c]
	if !there {
		return nil
	}
	st.Spec.Definition, st.Spec.Capacity = d, nil
	return f.put(st.Spec)
}

// freeze keeps a stack from getting smaller than it is: without traffic it would shrink and
// be no fallback.
func (f Facts) freeze(c target.Color) *Decision {
	st, there := f.Seen.Stacks[c]
	if !there {
		return nil
	}
	n := map[string]int{}
	for name, size := range judge.Size(st) {
		n[name] = max(size, st.Spec.Capacity[name])
	}
	st.Spec.Capacity = floors(n)
	return f.put(st.Spec)
}

// floors are the capacities above zero, nil if there are none.
func floors(n map[string]int) map[string]int {
	var out map[string]int
	for name, n := range n {
		if n > 0 {
			if out == nil {
				out = map[string]int{}
			}
			out[name] = n
		}
	}
	return out
}

// remove removes a stack once it has answered what it was asked, or was given the time for it.
func (f Facts) remove(c target.Color) *Decision {
	switch st, there := f.Seen.Stacks[c]; {
	case !there:
		return nil
	case st.InFlight > 0 && f.waited() < seconds(f.Want.Policy.DrainSeconds):
		return wait()
	}
	return &Decision{Do: DeleteStack, Color: c}
}

// endTasks ends the tasks whose keys match, one after the other.
func (f Facts) endTasks(match func(key string) bool) *Decision {
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		if match(key) {
			return &Decision{Do: DeleteTask, Key: key}
		}
	}
	return nil
}

func all(string) bool { return true }

func begins(prefix string) func(key string) bool {
	return func(key string) bool { return strings.HasPrefix(key, prefix) }
}

func not(match func(key string) bool) func(key string) bool {
	return func(key string) bool { return !match(key) }
}

// retire sets when the target removes a stack by itself; nil: never.
func (f Facts) retire(c target.Color, at *time.Time) *Decision {
	if now := f.Seen.Stacks[c].RetireAt; now == nil && at == nil || now != nil && at != nil && now.Equal(*at) {
		return nil
	}
	return &Decision{Do: RetireStack, Color: c, At: at}
}
