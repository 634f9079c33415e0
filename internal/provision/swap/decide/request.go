package decide

import (
	"fmt"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// requested decides on a request that was left for the run: first it is recorded what becomes
// of it, then it is removed. One about a swap that is not under way any more goes at once.
func (f Facts) requested() *Decision {
	q, w := f.Seen.Request, f.Record.Swap
	switch {
	case q == nil:
		return nil
	case w == nil, w.Phase.Finished(), w.ID != q.SwapID, w.Answered != nil && w.Answered.RequestID == q.ID:
		return &Decision{Do: DropRequest, Key: q.ID}
	}
	answer := &target.Answer{RequestID: q.ID, By: q.By, At: f.Now}
	back, refusal := RollBack(f, q.Reason)
	if q.Kind != target.RequestRollBack {
		refusal = fmt.Sprintf("this version of Slipway does not know what %q is", q.Kind)
	}
	if refusal != "" {
		return f.refuse(answer, refusal)
	}
	back.Answered = answer
	d := &Decision{Do: Answer, Swap: back}
	if w.Phase != target.PhaseRollingBack {
		d.Next, d.Note, d.Hold, d.HeldBy = target.PhaseRollingBack, q.Reason, true, q.By
	}
	return d
}

// refuse records why a request is not done, and lets the swap go on as if nobody had asked.
func (f Facts) refuse(answer *target.Answer, why string) *Decision {
	w := f.swap()
	answer.Refusal, w.Answered = why, answer
	if n := len(w.Steps); n > 0 {
		w.Steps = slices.Clone(w.Steps)
		note := &w.Steps[n-1].Note
		if *note != "" {
			*note += "; "
		}
		*note += fmt.Sprintf("%s asked for a rollback, which was refused: %s", answer.By, why)
	}
	if f.Watched == nil { // a watch that another run began is begun anew
		w.WatchedFrom = nil
	}
	return &Decision{Do: Answer, Swap: w}
}
