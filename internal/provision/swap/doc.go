// Package swap changes what is live in a deployment slot.
//
// It is a level-triggered machine: observe, decide, do one idempotent effect, record, and
// again, until a phase is reached in which nothing is left to do. [Decide] is pure. All
// facts live with the target, so a run that was killed anywhere is resumed by the next one:
//
//	preparing → migrating → starting → verifying → testing → [awaiting_approval] →
//	(switching → watching) for each share of the traffic → live
//
// The first share is the commit point. Before it a failure leads through aborting to failed:
// the candidate is removed and what is live was never touched. After it the only way is back:
// rolling_back, rolled_back, with a hold; or where nothing healthy stands behind it, the
// release stays, degraded, until the next run judges it again or another release comes.
//
// The files: decide.go is the table of phases, candidate.go and gates.go lead to a proven
// candidate, approval.go lets it wait, traffic.go moves shares, watch.go and workers.go judge
// them, back.go and rollback.go lead back. run.go, effects.go, record.go and measure.go do
// what was decided; machine.go and lease.go are the way in.
//
// Time limits count from when the present run last got something done, so that a run that
// goes on where another one died hours ago has all the time that its first try had. So does
// the watch of a share: it begins anew with a run that resumes it.
package swap
