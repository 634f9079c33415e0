// Package swap changes what is live in a deployment slot.
//
// It is a level-triggered machine: observe, decide, do one idempotent effect, record, and
// again, until a phase is reached in which nothing is left to do. All facts live with the
// target, so a run that was killed anywhere is resumed by the next one:
//
//	preparing → migrating → starting → verifying → testing → [awaiting_approval] →
//	(switching → watching) for each share of the traffic → live
//
// The first share is the commit point. Before it a failure leads through aborting to failed:
// the candidate is removed and what is live was never touched. After it the only way is back:
// rolling_back, rolled_back, with a hold; or where nothing healthy stands behind it, the
// release stays, degraded, until the next run judges it again or another release comes.
//
// Who calls whom, from above:
//
//	Machine.Run, Promote, RollBack, Delete     machine.go: take the lease, load the record
//	  └─ run.drive: step, step, …              run.go
//	       ├─ observe and measure              the target, record.go
//	       ├─ decide.Next                      what to do; asks package judge what is wrong
//	       ├─ act                              effects.go: one effect, under the lease
//	       └─ advance, enter, save             record.go: what is true now, by package journal
//	  └─ outcome, stuck, interrupted           outcome.go, errors.go: how it ended, in words
//
// Package lease keeps the lease meanwhile. To read it all, begin with package judge, then
// decide, then this one.
//
// Time limits count from when the present run last got something done, so that a run that
// goes on where another one died hours ago has all the time that its first try had. So does
// the watch of a share: it begins anew with a run that resumes it.
package swap
