package target

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Phase is where a swap is.
type Phase string

// Phases of a swap, in order, and its side exits.
const (
	PhasePreparing Phase = "preparing"
	PhaseMigrating Phase = "migrating"
	PhaseStarting  Phase = "starting"
	PhaseVerifying Phase = "verifying"
	PhaseTesting   Phase = "testing"
	// PhaseAwaitingApproval: the candidate is tested and takes traffic when it is approved.
	PhaseAwaitingApproval Phase = "awaiting_approval"
	// PhaseSwitching: a share of the traffic is being moved, at last all of it.
	PhaseSwitching Phase = "switching"
	// PhaseWatching: the release is judged with the share that it has.
	PhaseWatching Phase = "watching"
	PhaseLive     Phase = "live"
	// PhaseDegraded: the release broke its guardrails and stays, since nothing healthy stands
	// behind it. The next run watches it again.
	PhaseDegraded Phase = "degraded"
	// PhaseFailed: before the switch; the candidate was removed, live was not touched.
	PhaseFailed Phase = "failed"
	// PhaseRolledBack: after the switch; the traffic went back and a hold was left.
	PhaseRolledBack Phase = "rolled_back"
	// PhaseAborting: the candidate of a failed swap is being removed.
	PhaseAborting Phase = "aborting"
	// PhaseRollingBack: the traffic is on its way back.
	PhaseRollingBack Phase = "rolling_back"
)

// Finished says that nothing is left to do in a phase.
func (p Phase) Finished() bool {
	return p == PhaseLive || p == PhaseFailed || p == PhaseRolledBack
}

// Swap is the journal of one swap.
type Swap struct {
	ID          string `json:"id"`
	Phase       Phase  `json:"phase"`
	Release     string `json:"release"`
	Fingerprint string `json:"fingerprint"`
	// From is the seat that served when the swap began (empty at the first deployment), To
	// the one that is to serve.
	From        Color  `json:"from,omitempty"`
	FromRelease string `json:"from_release,omitempty"`
	To          Color  `json:"to"`
	// Reuse says that To already holds the wanted stack, proven before: no gate but health.
	Reuse bool `json:"reuse,omitempty"`
	// TestedSuite is the digest of the suite that the candidate passed at TestedAt, "" before.
	TestedSuite string     `json:"tested_suite,omitempty"`
	TestedAt    *time.Time `json:"tested_at,omitempty"`
	// Approved says who approved the candidate, and when; nil while nobody has.
	Approved *ApprovedBy `json:"approved,omitempty"`
	// StepsPassed is how many of the policy's traffic steps the candidate has passed: it has,
	// or is getting, the share of the next one, or everything after the last. WatchedFrom is
	// since when that share is watched: since it was set, or since a run resumed the watch.
	StepsPassed int        `json:"steps_passed,omitempty"`
	WatchedFrom *time.Time `json:"watched_from,omitempty"`
	// Baseline is what the old stack answered over the last window before it lost its traffic.
	Baseline *Measurement `json:"baseline,omitempty"`
	// By is who asked for the swap, Host the machine and process that it was begun on.
	By        string    `json:"by"`
	Host      string    `json:"host,omitempty"`
	StartedAt time.Time `json:"started_at"`
	// PhaseAt is when the current phase began.
	PhaseAt    time.Time  `json:"phase_at"`
	SwitchedAt *time.Time `json:"switched_at,omitempty"`
	// Probed says that the front door was seen to answer with the release.
	Probed  bool       `json:"probed,omitempty"`
	EndedAt *time.Time `json:"ended_at,omitempty"`
	// LastOldAnswerAt is when the old stack ended the last of its ordinary answers.
	LastOldAnswerAt *time.Time `json:"last_old_answer_at,omitempty"`
	// FailedIn is the phase a failed swap was in; Requested says that somebody asked for the
	// rollback that this is.
	FailedIn  Phase `json:"failed_in,omitempty"`
	Requested bool  `json:"requested,omitempty"`
	// Answered is what became of the last request that was left for the run.
	Answered *Answer `json:"answered,omitempty"`
	// Reason says why a swap failed or was rolled back, for people.
	Reason string `json:"reason,omitempty"`
	// Steps lists the phases that were passed, with their times.
	Steps []Step `json:"steps,omitempty"`
	// Tasks are the migration and test runs, Samples what was measured second by second while
	// the release was watched, both bounded.
	Tasks   []TaskRecord `json:"tasks,omitempty"`
	Samples []Sample     `json:"samples,omitempty"`
}

// Unapproved is the swap as it ended where nobody approved its candidate in time: the target
// removed it by itself, and nothing has been written since.
func (s Swap) Unapproved(p Policy, seen Observation) (ended Swap, ok bool) {
	to, stands := seen.Stacks[s.To]
	if s.Phase != PhaseAwaitingApproval || stands && to.Spec.SwapID == s.ID {
		return s, false
	}
	end := s.PhaseAt.Add(time.Duration(p.ApprovalTimeoutSeconds) * time.Second)
	if seen.At.Before(end) { // the limit was raised since
		end = seen.At
	}
	s.Phase, s.FailedIn, s.EndedAt = PhaseFailed, PhaseAwaitingApproval, &end
	s.Reason = "nobody approved it in time; its candidate was removed"
	return s, true
}

// WasLive says that the swap is the way back from a release that was live: none began with it.
func (s Swap) WasLive() bool {
	return !slices.ContainsFunc(s.Steps, func(step Step) bool { return step.Phase == PhasePreparing })
}

// Direction is the release that the traffic was to leave and the one that it was to go to;
// from is "" where nothing served.
func (s Swap) Direction() (from, to string) {
	if s.WasLive() {
		return s.Release, s.FromRelease
	}
	return s.FromRelease, s.Release
}

// FirstLine is the first line of a reason; what an instance or a program wrote last follows it.
func FirstLine(reason string) string {
	line, _, _ := strings.Cut(reason, "\n")
	return line
}

// Bounds of what a journal keeps.
const (
	MaxTaskRecords = 10
	MaxSamples     = 900
	// KeptJournals is how many swaps of a slot a target remembers at least.
	KeptJournals = 50
)

// ApprovedBy says who approved a candidate.
type ApprovedBy struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Step is one passed phase of a swap.
type Step struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"`
	// Percent is the share that the candidate had or was getting, in switching and watching.
	Percent int `json:"percent,omitempty"`
	// Measured is what each side answered while a share was watched: the candidate's first.
	Measured []Measurement `json:"measured,omitempty"`
	// Health is what was seen of each instance when a gate was passed or failed, in words.
	Health []string `json:"health,omitempty"`
}

// TaskRecord is a finished run of a task.
type TaskRecord struct {
	Kind      string     `json:"kind"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty"`
	Problem   string     `json:"problem,omitempty"`
	LastLines []string   `json:"last_lines,omitempty"`
}

// Sample is what was measured of both sides around one moment of the watch.
type Sample struct {
	At      time.Time   `json:"at"`
	Percent int         `json:"percent"`
	New     Measurement `json:"new"`
	Old     Measurement `json:"old"`
}

// Hold keeps a release that was rolled back from coming again by itself, in whatever
// definition. Fingerprint is of the one that was rolled back.
type Hold struct {
	Release     string    `json:"release"`
	Fingerprint string    `json:"fingerprint"`
	Retry       int64     `json:"retry"`
	By          string    `json:"by"`
	At          time.Time `json:"at"`
	Reason      string    `json:"reason"`
}

// Journal is one swap of a slot as it is kept after its end, with the policy it went by.
type Journal struct {
	Slot   SlotID `json:"slot"`
	Policy Policy `json:"policy"`
	Swap   Swap   `json:"swap"`
}

// Journals keep what swaps did. The last [KeptJournals] of a slot stay until the slot goes.
type Journals interface {
	// PutJournal keeps a journal; one of the same swap is replaced.
	PutJournal(ctx context.Context, j Journal, l Lease) error
	// ListJournals returns a slot's journals without samples and output, the newest first.
	ListJournals(ctx context.Context, id SlotID) ([]Journal, error)
	// GetJournal returns a journal whole, ErrNotFound if it is not kept.
	GetJournal(ctx context.Context, id SlotID, swapID string) (Journal, error)
}
