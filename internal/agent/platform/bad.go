//go:build !windows

package platform

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// badRecords are the records in an environment that can't be used, by account and by slot.
type badRecords struct{ databases, slots map[string]error }

// any is one of them, nil if there is none.
func (b badRecords) any() error {
	for _, records := range []map[string]error{b.databases, b.slots} {
		for _, name := range target.SortedKeys(records) {
			return records[name]
		}
	}
	return nil
}

// BadRecord is a record that can't be used. What it describes is left as it is.
type BadRecord struct {
	// What is "region", "environment", "account database" or "deployment slot", with its id.
	What, ID string
	// Problem says what is wrong with which file, and what to do about it.
	Problem string
}

// BadRecords lists the records that can't be used.
func (p *Platform) BadRecords() []BadRecord {
	p.mu.Lock()
	var out []BadRecord
	for _, id := range target.SortedKeys(p.bad) {
		what := "region"
		if strings.Contains(id, "/") {
			what = "environment"
		}
		out = append(out, BadRecord{what, id, p.bad[id].Error()})
	}
	p.mu.Unlock()
	for _, e := range p.allEnvironments() {
		e.mu.Lock()
		for _, name := range target.SortedKeys(e.bad.databases) {
			out = append(out, BadRecord{"account database", e.id.String() + "/" + name, e.bad.databases[name].Error()})
		}
		for _, name := range target.SortedKeys(e.bad.slots) {
			out = append(out, BadRecord{"deployment slot", e.id.String() + "/" + name, e.bad.slots[name].Error()})
		}
		e.mu.Unlock()
	}
	return out
}

// LookAgain reads the records again that could not be used: who restored one, or moved it away
// to forget what it describes, need not start the agent again.
func (p *Platform) LookAgain() {
	p.looking.Lock()
	defer p.looking.Unlock()
	if p.open.Err() != nil {
		return
	}
	p.mu.Lock()
	ids := target.SortedKeys(p.bad)
	p.mu.Unlock()
	for _, id := range ids {
		if environment, err := target.ParseEnvironmentID(id); err == nil {
			p.lookAtEnvironment(environment)
		} else {
			p.lookAtRegion(id)
		}
	}
	for _, e := range p.allEnvironments() {
		e.lookAgain()
	}
}

func (p *Platform) lookAtRegion(name string) {
	rec := &target.RegionRecord{}
	err := store.Load(p.dir.region(name), rec)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.regions[name] = rec
	}
	p.judge(p.bad, name, err)
}

func (p *Platform) lookAtEnvironment(id target.EnvironmentID) {
	e, err := p.loadEnvironment(p.life, id)
	p.mu.Lock()
	if e != nil && p.life.Err() != nil {
		p.mu.Unlock()
		e.release() // nobody else will
		return
	}
	if e != nil {
		p.environments[id] = e
	}
	p.judge(p.bad, id.String(), err)
	p.mu.Unlock()
}

// judge notes what became of a record that was bad: it can be used, is gone, or is still bad.
// The caller holds what guards bad.
func (p *Platform) judge(bad map[string]error, key string, err error) {
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
		p.log.Info("a record that could not be used was restored or moved away", "record", key)
		delete(bad, key)
	case err.Error() != bad[key].Error():
		bad[key] = p.complain(err)
	}
}

// lookAgain is LookAgain for what is in the environment.
func (e *environment) lookAgain() {
	e.mu.Lock()
	accounts, slots := target.SortedKeys(e.bad.databases), target.SortedKeys(e.bad.slots)
	e.mu.Unlock()
	for _, account := range accounts {
		d := &databaseFile{}
		err := store.Load(e.files.database(account), d)
		e.mu.Lock()
		if err == nil {
			e.databases[account] = d
		}
		e.p.judge(e.bad.databases, account, err)
		e.mu.Unlock()
		e.poke() // it may be on a server of its own
	}
	for _, name := range slots {
		e.lookAtSlot(name)
	}
}

func (e *environment) lookAtSlot(name string) {
	s, err := e.loadSlot(name)
	if s != nil {
		s.resume(e.life)
	}
	e.mu.Lock()
	if s != nil {
		e.slots[name] = s
	}
	e.p.judge(e.bad.slots, name, err)
	front, lack := e.proxy, len(e.bad.slots) > 0
	e.mu.Unlock()
	if front != nil {
		front.LackRoutes(lack)
		if s != nil {
			s.enter(front)
		}
	}
}

// loadSlot reads a slot's record; nil where it never was one.
func (e *environment) loadSlot(name string) (*slot, error) {
	s := e.newSlot(target.SlotID{Environment: e.id, Name: name})
	err := store.Load(e.files.slotRecord(name), &s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, removeLeftover(e.files.slotRecord(name), "stacks/*", "tasks/*")
	}
	if err != nil {
		return nil, err
	}
	s.file.fill()
	return s, nil
}
