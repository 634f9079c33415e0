//go:build !windows

package platform

import (
	"context"
	"errors"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// slot is one deployment slot with what runs in it.
type slot struct {
	e     *environment
	id    target.SlotID
	files environmentLayout

	// effects is held by one effect at a time, for as long as it takes.
	effects sync.Mutex
	// mu guards what follows, for moments.
	mu     sync.Mutex
	file   slotFile
	stacks map[target.Color]*stack
	tasks  map[string]*task
	drain  time.Duration // the limit that was set last; 0 before
}

// slotFile is a slot's record: the swap machine's, and what the platform needs to find
// everything again.
type slotFile struct {
	Record *target.SlotRecord `json:"record,omitempty"`
	Lease  *target.Lease      `json:"lease,omitempty"`
	// Request is what somebody asks of whoever holds the lease.
	Request *target.Request `json:"request,omitempty"`
	// Serving is the seat that serves but for Percent of the requests; "" for none.
	Serving  target.Color           `json:"serving,omitempty"`
	Percent  int                    `json:"percent,omitempty"`
	StickyBy target.StickyBy        `json:"sticky_by,omitempty"`
	Seats    map[target.Color]*seat `json:"seats,omitempty"`
	Tasks    map[string]*taskFile   `json:"tasks,omitempty"`
}

// seat is a stack as it is remembered.
type seat struct {
	Spec     target.StackSpec `json:"spec"`
	RetireAt *time.Time       `json:"retire_at,omitempty"`
	// Scale is how many instances of each component there are to be.
	Scale     map[string]int           `json:"scale,omitempty"`
	Instances map[string]*instanceFile `json:"instances,omitempty"` // by "component/index"
}

// instanceFile is an instance as it is remembered.
type instanceFile struct {
	Identity process.Identity `json:"identity"`
	Port     int              `json:"port"`
}

// fill makes the maps that a record leaves out when they are empty.
func (f *slotFile) fill() {
	if f.Seats == nil {
		f.Seats = map[target.Color]*seat{}
	}
	if f.Tasks == nil {
		f.Tasks = map[string]*taskFile{}
	}
}

// empty says that there is nothing but, maybe, a lease.
func (f *slotFile) empty() bool {
	return f.Record == nil && f.Request == nil && f.Serving == "" && len(f.Seats) == 0 && len(f.Tasks) == 0
}

func (e *environment) newSlot(id target.SlotID) *slot {
	return &slot{
		e: e, id: id, files: e.files, stacks: map[target.Color]*stack{}, tasks: map[string]*task{},
		file: slotFile{Seats: map[target.Color]*seat{}, Tasks: map[string]*taskFile{}},
	}
}

// loadSlots reads every slot's record and finds again what runs. A record that can't be
// read takes only its own slot down.
func (e *environment) loadSlots(ctx context.Context) error {
	names, err := dirNames(e.files.slots())
	if err != nil {
		return err
	}
	for _, name := range names {
		s, err := e.loadSlot(name)
		if err != nil {
			e.bad.slots[name] = e.p.complain(err)
		}
		if s == nil {
			continue
		}
		e.slots[name] = s
	}
	if err := e.moveIn(); err != nil {
		e.p.log.Error("the environment keeps the user that it shares with others", "environment", e.id.String(), "error", err)
	}
	var begun sync.WaitGroup
	for _, s := range e.slots {
		begun.Go(func() { s.resume(ctx) })
	}
	begun.Wait()
	return nil
}

// resume brings back what the record says. It returns when every instance that still runs
// was probed once.
func (s *slot) resume(ctx context.Context) {
	// What is brought back changes the record at once: it is read before.
	s.mu.Lock()
	remembered := map[*stack]seat{}
	for c, seat := range s.file.Seats {
		was := *seat
		was.Instances = maps.Clone(seat.Instances)
		st := s.newStack(seat.Spec)
		s.stacks[c] = st
		remembered[st] = was
	}
	tasks := target.SortedKeys(s.file.Tasks)
	s.mu.Unlock()
	var begun sync.WaitGroup
	for st, was := range remembered {
		begun.Go(func() { st.resume(ctx, was) })
	}
	for _, key := range tasks {
		s.resumeTask(key)
	}
	begun.Wait()
}

// stop ends what runs in the slot. Tasks are ended too: they are not run twice.
func (s *slot) stop(ctx context.Context) error {
	s.effects.Lock()
	defer s.effects.Unlock()
	var errs []error
	for _, st := range s.allStacks() {
		errs = append(errs, st.stop(ctx))
	}
	for _, t := range s.allTasks() {
		errs = append(errs, t.stop(ctx))
	}
	return errors.Join(errs...)
}

// release stops looking after the slot and leaves it running.
func (s *slot) release() {
	s.effects.Lock()
	defer s.effects.Unlock()
	for _, st := range s.allStacks() {
		st.release()
	}
	for _, t := range s.allTasks() {
		t.release()
	}
}

// slot finds a slot; make says to make one that is not there.
func (p *Platform) slot(id target.SlotID, create bool) (*slot, error) {
	e, err := p.environment(id.Environment)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.bad.slots[id.Name]; err != nil {
		return nil, err
	}
	s := e.slots[id.Name]
	switch {
	case s != nil:
		return s, nil
	case !create || e.removing:
		return nil, target.Errorf(target.ErrNotFound, "there is no deployment slot %q in %s", id, p.Where())
	}
	if err := p.passage(e.files.slot(id.Name)); err != nil {
		return nil, err
	}
	s = e.newSlot(id)
	e.slots[id.Name] = s
	return s, nil
}

// change changes the slot's record durably; an error of do leaves it as it was.
func (s *slot) change(do func(*slotFile) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(do)
}

// changeLocked is change for a caller who holds s.mu.
func (s *slot) changeLocked(do func(*slotFile) error) error {
	before, err := copyOf(s.file)
	if err != nil {
		return err
	}
	if err = do(&s.file); err == nil {
		err = s.e.p.save(s.files.slotRecord(s.id.Name), s.file)
	}
	if err != nil {
		before.fill()
		s.file = before
	}
	return err
}

// PutSlot implements target.Slots.
func (p *Platform) PutSlot(_ context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	s, err := p.slot(r.Asked.ID(), true)
	if err != nil {
		return target.SlotRecord{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.leased(l); err != nil {
		return target.SlotRecord{}, err
	}
	var stored int64
	if s.file.Record != nil {
		stored = s.file.Record.Revision
	}
	if stored == r.Revision+1 {
		repeat := r
		repeat.Revision = stored
		if target.Same(repeat, *s.file.Record) {
			return copyOf(*s.file.Record)
		}
	}
	if stored != r.Revision {
		return target.SlotRecord{}, target.Errorf(target.ErrConflict, "the record of slot %q is at revision %d, not %d: somebody else wrote it", s.id, stored, r.Revision)
	}
	r.Revision++
	if err := s.changeLocked(func(f *slotFile) error { f.Record = &r; return nil }); err != nil {
		return target.SlotRecord{}, err
	}
	return copyOf(r)
}

// GetSlot implements target.Slots.
func (p *Platform) GetSlot(_ context.Context, id target.SlotID) (target.SlotRecord, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return target.SlotRecord{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file.Record == nil {
		return target.SlotRecord{}, target.Errorf(target.ErrNotFound, "there is no deployment slot %q in %s", id, p.Where())
	}
	return copyOf(*s.file.Record)
}

// ListSlots implements target.Slots.
func (p *Platform) ListSlots(_ context.Context, id target.EnvironmentID) ([]target.SlotRecord, error) {
	e, err := p.environment(id)
	if err != nil {
		return nil, err
	}
	var out []target.SlotRecord
	for _, s := range e.allSlots() {
		s.mu.Lock()
		if s.file.Record != nil {
			rec, err := copyOf(*s.file.Record)
			if err != nil {
				s.mu.Unlock()
				return nil, err
			}
			out = append(out, rec)
		}
		s.mu.Unlock()
	}
	return out, nil
}

// DeleteSlot implements target.Slots.
func (p *Platform) DeleteSlot(ctx context.Context, id target.SlotID, l target.Lease) error {
	s, err := p.slot(id, false)
	if err != nil {
		return err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	s.mu.Lock()
	err = s.leased(l)
	if r := s.file.Record; err == nil && r != nil && r.Meta.Ready && r.Asked.DeletionProtection {
		err = target.Errorf(target.ErrProtected, "deletion protection of slot %q is on", id)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.change(func(f *slotFile) error { f.set(target.Traffic{}); return nil }); err != nil {
		return err
	}
	if front := s.e.front(); front != nil {
		if _, err := front.SetTraffic(ctx, s.id.Name, proxy.Traffic{}); err != nil && ctx.Err() != nil {
			return err
		}
	}
	for _, t := range s.allTasks() {
		if err := s.deleteTask(ctx, t.key); err != nil {
			return err
		}
	}
	for _, c := range []target.Color{target.Blue, target.Green} {
		if err := s.deleteStack(ctx, c); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(s.files.slot(id.Name)); err != nil {
		return err
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	delete(s.e.slots, id.Name)
	return s.e.forgetSuite(id.Name)
}

// enter puts the slot's stacks behind a front door.
func (s *slot) enter(front *proxy.Proxy) {
	s.effects.Lock()
	defer s.effects.Unlock()
	for _, st := range s.allStacks() {
		st.enter(front)
	}
	s.direct(front)
}

func (s *slot) allStacks() []*stack {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*stack
	for _, c := range target.SortedKeys(s.stacks) {
		out = append(out, s.stacks[c])
	}
	return out
}

func (s *slot) allTasks() []*task {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*task
	for _, key := range target.SortedKeys(s.tasks) {
		out = append(out, s.tasks[key])
	}
	return out
}
