// Package swap changes what is live in a deployment slot.
//
// It is a level-triggered machine: observe, decide, do one idempotent effect, record, and
// again, until a phase is reached in which nothing is left to do. [Decide] is pure. All
// facts live with the target, so a run that was killed anywhere is resumed by the next one:
//
//	preparing → migrating → starting → verifying → testing → switching → live
//
// Before the switch a failure leads through aborting to failed: the candidate is removed and
// what is live was never touched. After it the only way is back: rolling_back, rolled_back.
//
// Time limits count from when the present run last got something done, so that a run that
// goes on where another one died hours ago has all the time that its first try had.
package swap
