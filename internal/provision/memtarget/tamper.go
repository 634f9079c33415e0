package memtarget

import (
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// tamper changes the store behind the back of every client.
func (t *Target) tamper(f func(*store)) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	f(t.store)
}

// VanishInstallation removes everything, as if the data directory had been deleted.
func (t *Target) VanishInstallation() { t.tamper((*store).clear) }

// VanishEnvironment removes an environment and all that is in it, records included.
func (t *Target) VanishEnvironment(id target.EnvironmentID) {
	t.tamper(func(s *store) { s.dropEnvironment(id) })
}

// VanishAccountDatabase removes the database of an account and leaves its record.
func (t *Target) VanishAccountDatabase(id target.AccountDatabaseID) {
	t.tamper(func(s *store) {
		if d, ok := s.databases[id]; ok {
			d.record.Vanished, d.record.GiveUp = true, fmt.Sprintf("forget %s", d.record.Spec.ID())
		}
	})
}

// VanishSlot removes a slot and all that is in it, its record included.
func (t *Target) VanishSlot(id target.SlotID) {
	t.tamper(func(s *store) {
		if _, ok := s.slots[id]; ok {
			s.dropSlot(id)
		}
	})
}

// PlantForeign makes a database of the account's name that bears no mark of ours.
func (t *Target) PlantForeign(id target.AccountDatabaseID) {
	t.tamper(func(s *store) { s.foreign[id] = true })
}

// Drift changes the connection limit of an account's role on the server.
func (t *Target) Drift(id target.AccountDatabaseID, limit int) {
	t.tamper(func(s *store) {
		d, ok := s.databases[id]
		if !ok {
			return
		}
		d.record.Status.ObservedConnectionLimit = limit
		d.record.Status.Drift = []string{fmt.Sprintf("the role's connection limit is %d, not %d", limit, d.record.Spec.ConnectionLimit)}
	})
}

// DriftStack makes a stack differ from what was put, until it is put again.
func (t *Target) DriftStack(id target.SlotID, c target.Color, what string) {
	t.tamper(func(s *store) {
		if l, ok := s.slots[id]; ok && l.stacks[c] != nil {
			l.stacks[c].drift = []string{what}
		}
	})
}

// hindrance is what keeps an object from being finished.
type hindrance struct {
	problem string
	stuck   bool
}

// HinderEnvironment keeps an environment from being finished, with the problem it has, until
// the problem is "". Stuck says that waiting will not help.
func (t *Target) HinderEnvironment(id target.EnvironmentID, problem string, stuck bool) {
	t.tamper(func(s *store) { s.hindered[id.String()] = hindrance{problem, stuck} })
}

// HinderRegion makes a region differ from its definition, and a put of one that is not ready stop
// half-way, until the problem is "".
func (t *Target) HinderRegion(id, problem string) {
	t.tamper(func(s *store) {
		s.hindered[id] = hindrance{problem: problem}
		if r, ok := s.regions[id]; ok {
			r.Meta.Problem = problem
			s.regions[id] = r
		}
	})
}

// unfinishedRemoval is the problem of what EndEnvironment or EndRegion ended.
const unfinishedRemoval = "its removal is not finished: destroy it once more"

func ending(kind string, id any) error {
	return target.Errorf(target.ErrEnding, "%s %q is being removed", kind, id)
}

// EndEnvironment leaves an environment as a removal does that stopped half-way.
func (t *Target) EndEnvironment(id target.EnvironmentID) {
	t.tamper(func(s *store) {
		if e, ok := s.environments[id]; ok {
			e.record.Meta.Ending = true
			s.settleEnvironment(e)
		}
	})
}

// EndRegion leaves a region as a removal does that stopped half-way.
func (t *Target) EndRegion(id string) {
	t.tamper(func(s *store) {
		if r, ok := s.regions[id]; ok {
			r.Meta.Ending, r.Meta.Problem = true, unfinishedRemoval
			s.regions[id] = r
		}
	})
}

// HinderAccountDatabase makes a put of an account database stop half-way: the record is there
// and unfinished. It goes through again once the problem is "".
func (t *Target) HinderAccountDatabase(id target.AccountDatabaseID, problem string) {
	t.tamper(func(s *store) { s.hindered[id.String()] = hindrance{problem: problem} })
}

// KillInstance ends an instance, which starts again at once and must get healthy anew.
func (t *Target) KillInstance(id target.SlotID, c target.Color, component string, index int) {
	t.tamper(func(s *store) {
		l, ok := s.slots[id]
		if !ok || l.stacks[c] == nil {
			return
		}
		for _, i := range l.stacks[c].instances {
			if i.status.Component == component && i.status.Index == index {
				i.start(s.now())
				i.status.Restarts++
			}
		}
	})
}

// HoldRequests makes a stack have n requests in flight that do not end, 0 to end them.
func (t *Target) HoldRequests(id target.SlotID, c target.Color, n int) {
	t.tamper(func(s *store) {
		if l, ok := s.slots[id]; ok && l.stacks[c] != nil {
			st := l.stacks[c]
			if st.inFlight > 0 && n == 0 {
				st.answered = pointer(s.now())
			}
			st.inFlight = n
		}
	})
}

// LagFrontDoor makes the next n probes of a slot's front door answer with the release that
// served before.
func (t *Target) LagFrontDoor(id target.SlotID, n int) {
	t.tamper(func(s *store) {
		if l, err := s.slot(id); err == nil {
			l.lag = n
		}
	})
}
