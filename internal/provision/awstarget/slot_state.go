package awstarget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slotState is what is remembered of a slot's stacks, traffic and tasks, in a row beside the
// slot's record. What serves is not read here where the load balancer's rules say it.
type slotState struct {
	// Stamp is another one in each write, so that a write is told from its like.
	Stamp string `json:"stamp"`
	// Attempts counts the stacks that were put into the slot.
	Attempts int                    `json:"attempts"`
	Seats    map[target.Color]*seat `json:"seats,omitempty"`
	// Traffic is what was last divided; Moving is what it is to become while the rules are
	// written.
	Traffic target.Traffic      `json:"traffic"`
	Moving  *target.Traffic     `json:"moving,omitempty"`
	Tasks   map[string]*oneTask `json:"tasks,omitempty"`
	// DefaultTags are those of the provider that put a stack last.
	DefaultTags map[string]string `json:"default_tags,omitempty"`
}

// seat is a stack in a seat.
type seat struct {
	Spec target.StackSpec `json:"spec"`
	// Before is what it was before its last change, without components when it is new, until that
	// is in effect: whoever looks after a run that died over it asks for the change again.
	Before  *target.StackSpec `json:"before,omitempty"`
	Attempt int               `json:"attempt"`
	// Nonce is another one for each seat ever made: attempts begin anew with a slot that was removed.
	Nonce string `json:"nonce,omitempty"`
	// StartSeconds is how long the release was given to start.
	StartSeconds int `json:"start_seconds,omitempty"`
	// Served says that it had all of the traffic once.
	Served bool `json:"served,omitempty"`
	// Ending says that it is being removed.
	Ending bool `json:"ending,omitempty"`
	// TargetGroups and Definitions are the ARNs of what was made, by component.
	TargetGroups map[string]string `json:"target_groups,omitempty"`
	Definitions  map[string]string `json:"definitions,omitempty"`
	// RetireAt is when the scheduled actions of this generation scale it to nothing.
	RetireAt   *time.Time `json:"retire_at,omitempty"`
	Retirement int        `json:"retirement,omitempty"`
	// Arming says that not all of them are there yet: nobody is told of the time before.
	Arming bool `json:"arming,omitempty"`
	// Carried says that it has had traffic. One that has not is a candidate, which nobody may look
	// after any more: it is scaled to nothing at AbandonAt unless a run puts that off.
	Carried   bool       `json:"carried,omitempty"`
	AbandonAt *time.Time `json:"abandon_at,omitempty"`
	// DrainedAt is when that has ended at the latest what it was asked before it lost the last of its traffic.
	DrainedAt *time.Time `json:"drained_at,omitempty"`
	// TagKeys are the keys of the tags that anything of it may have got from a definition.
	TagKeys []string `json:"tag_keys,omitempty"`
	// Health is since when tasks are what they are, as a run saw it that had the lease.
	Health map[string]health `json:"health,omitempty"`
}

// health is since when a task is healthy, or not healthy any more.
type health struct {
	Healthy bool      `json:"healthy"`
	Since   time.Time `json:"since"`
}

// oneTask is a run of a task.
type oneTask struct {
	Spec       target.TaskSpec `json:"spec"`
	Nonce      string          `json:"nonce"`
	StartedAt  time.Time       `json:"started_at"`
	Definition string          `json:"definition,omitempty"` // ARN
	ARN        string          `json:"arn,omitempty"`
	// NotedAt is when the ARN was: ECS may have begun it just before.
	NotedAt time.Time `json:"noted_at,omitzero"`
	// Ended is what became of it; ECS forgets it after an hour.
	Ended *target.TaskStatus `json:"ended,omitempty"`
	// Past says of one that asks a front door that the traffic was divided anew since it ended.
	Past bool `json:"past,omitempty"`
}

func (s slotState) empty() bool { return len(s.Seats)+len(s.Tasks) == 0 }

// unit is a component of the stack in the seat.
func (s *seat) unit(component string) unit {
	return unit{slot: s.Spec.Slot, color: s.Spec.Color, attempt: s.Attempt, component: component, nonce: s.Nonce}
}

// stateKind is the kind of the rows with the states of an environment's slots.
func stateKind(id target.EnvironmentID) string { return "stacks/" + id.Name }

func stateKey(id target.SlotID) key { return key{stateKind(id.Environment), id.Name} }

// slotWork is a slot while it is looked at or worked on.
type slotWork struct {
	*noun // its environment
	spec  target.Environment
	id    target.SlotID
	lease target.Lease
	// refreshing says that it is looked at with many others, and not by who works on it.
	refreshing bool
	// deciding says that traffic is about to move by what is seen: that must be so now.
	deciding bool
	// resting says that no swap is under way.
	resting bool
	// drainSeconds and startSeconds are what the record asks for.
	drainSeconds, startSeconds int
	// tags are the user's, as the record has them.
	slotTags map[string]string

	state   slotState
	version int64
}

// openSlot loads a slot whose environment is there.
func (t *Target) openSlot(ctx context.Context, id target.SlotID) (*slotWork, error) {
	n, err := t.loadEnvironment(ctx, id.Environment)
	if err != nil {
		return nil, err
	}
	rec, err := recordOf[target.EnvironmentRecord](n.document)
	if err != nil {
		return nil, err
	}
	settings := settingsOf(rec.Spec)
	rec.Spec.AWS = &settings // it decides how URLs are written
	w := &slotWork{noun: n, spec: rec.Spec, id: id}
	return w, w.reload(ctx)
}

// leasedSlot loads a slot to work on under a lease.
func (t *Target) leasedSlot(ctx context.Context, id target.SlotID, l target.Lease) (*slotWork, error) {
	w, err := t.openSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	w.lease = l
	r, err := w.leaseRow(ctx)
	if err == nil && r.version > 0 {
		var rec target.SlotRecord
		rec, err = slotRecord(r)
		w.read(rec)
	}
	return w, err
}

// openedSlot is leasedSlot for what may make something new in it.
func (t *Target) openedSlot(ctx context.Context, id target.SlotID, l target.Lease) (*slotWork, error) {
	w, err := t.leasedSlot(ctx, id, l)
	if err == nil {
		err = w.open(id.Environment)
	}
	return w, err
}

// read notes what the slot's record says.
func (w *slotWork) read(rec target.SlotRecord) {
	w.resting = rec.Swap != nil && rec.Swap.Phase.Finished()
	w.drainSeconds, w.startSeconds, w.slotTags = rec.Asked.Policy.DrainSeconds, rec.Asked.Policy.StartTimeoutSeconds, rec.Asked.Tags
}

// reload reads the state anew.
func (w *slotWork) reload(ctx context.Context) error {
	r, err := w.table.get(ctx, stateKey(w.id))
	if err != nil {
		return err
	}
	w.state, err = decode[slotState](r)
	w.version = r.version
	return err
}

// leaseRow is the slot's own row, with the lease, which must be the one held.
func (w *slotWork) leaseRow(ctx context.Context) (row, error) {
	r, err := w.table.get(ctx, slotKey(w.id))
	if err == nil {
		err = checkLease(r, w.id, w.lease, w.target.now())
	}
	return r, err
}

// fence refuses to go on without the lease. It comes before every effect: AWS knows nothing of
// leases.
func (w *slotWork) fence(ctx context.Context) error {
	_, err := w.leaseRow(ctx)
	return err
}

// change writes the state as it is after a change, under the lease; anew where another one came
// between.
func (w *slotWork) change(ctx context.Context, change func(*slotState) error) error {
	const most = 20 // each of them means that another change got through
	for tries := 1; ; tries++ {
		next := w.state.clone()
		if err := change(&next); err != nil {
			return err
		}
		next.Stamp = rand.Text()
		r, err := encode(row{key: stateKey(w.id), version: w.version}, next)
		if err != nil {
			return err
		}
		err = w.table.saveUnder(ctx, r, slotKey(w.id), w.lease.Token, w.target.now)
		switch {
		case err == nil:
			before := w.state
			w.state, w.version = next, w.version+1
			w.redraw(ctx, before)
			return nil
		case errors.Is(err, target.ErrLeaseLost):
			return target.Errorf(target.ErrLeaseLost, "the lease of slot %q is not held by %q", w.id, w.lease.Holder)
		case !errors.Is(err, target.ErrConflict), tries == most:
			return fmt.Errorf("write the state of slot %q: %w", w.id, err)
		}
		if err := w.reload(ctx); err != nil {
			return err
		}
	}
}

// clone is a copy that shares nothing that is changed.
func (s slotState) clone() slotState {
	seats, tasks := map[target.Color]*seat{}, map[string]*oneTask{}
	for c, of := range s.Seats {
		v := *of
		v.TagKeys = slices.Clone(of.TagKeys)
		v.TargetGroups, v.Definitions, v.Health = maps.Clone(of.TargetGroups), maps.Clone(of.Definitions), maps.Clone(of.Health)
		seats[c] = &v
	}
	for k, of := range s.Tasks {
		v := *of
		tasks[k] = &v
	}
	s.Seats, s.Tasks, s.DefaultTags = seats, tasks, maps.Clone(s.DefaultTags)
	return s
}

// changeSeat changes what is remembered of the stack in a seat; it must still be that one.
func (w *slotWork) changeSeat(ctx context.Context, c target.Color, attempt int, change func(*seat)) error {
	return w.change(ctx, func(s *slotState) error {
		of := s.Seats[c]
		if of == nil || of.Attempt != attempt {
			return target.Errorf(target.ErrConflict, "the %s seat of slot %q has another stack by now", c, w.id)
		}
		change(of)
		return nil
	})
}
