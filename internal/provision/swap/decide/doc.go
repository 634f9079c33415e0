// Package decide is the whole policy of a swap, as a pure function: [Next] reads [Facts] and
// returns the [Decision] what to do next. It reads no clock and touches nothing.
//
//	Next ─┬─ requested                                     what somebody left for the run
//	      ├─ idle                                          no swap is under way
//	      ├─ preparing migrating starting verifying testing   to a proven candidate
//	      ├─ awaitingApproval                              which may have to wait
//	      ├─ switching ⇄ watching, degraded                share after share
//	      └─ aborting, rollingBack                         back
//
// Each phase is a list of what is to be so before the next one: the first thing on it that is
// not so yet is the decision. So it does not matter where a run was killed, and what has
// become untrue is put right first. What speaks against a stack, a task or a measurement says
// package judge.
//
// The files: decide.go holds facts and decisions, next.go the table of phases, candidate.go,
// tested.go and stacks.go lead to a proven candidate, approval.go lets it wait, traffic.go
// moves shares, watch.go and workers.go judge them, settle.go ends a swap, back.go leads back,
// rollback.go where somebody wants that, and request.go where a run is under way meanwhile.
package decide
