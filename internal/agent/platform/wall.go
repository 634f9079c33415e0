//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
)

// root is who we are where there are walls.
var root = &process.User{}

// usersFile are the ids that an environment was given, remembered in its record.
type usersFile struct {
	// Application is that of instances and migrations; 0 while they share the user of before.
	Application int `json:"application"`
	// Suites are those of test suites, by slot: a suite must not read what others may.
	Suites map[string]int `json:"suites,omitempty"`
}

// all are the ids.
func (u *usersFile) all() []int {
	if u == nil {
		return nil
	}
	return append(slices.Collect(maps.Values(u.Suites)), u.Application)
}

// application is who the environment's instances and migrations run as; nil is as ourselves.
func (e *environment) application() *process.User {
	if e.p.users.ids == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if u := e.file.Users; u != nil && u.Application != 0 {
		return &process.User{UID: u.Application, GID: u.Application}
	}
	return e.p.users.shared
}

// suite is who the test suites of a slot run as; it is chosen with the first one.
func (e *environment) suite(slot string) (*process.User, error) {
	ids := e.p.users.ids
	if ids == nil {
		return nil, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var now usersFile
	if e.file.Users != nil {
		now = *e.file.Users
	}
	id := now.Suites[slot]
	if id != 0 {
		return &process.User{UID: id, GID: id}, nil
	}
	id, err := ids.give(e.p.dir.in(e.id.String(), slot))
	if err != nil {
		return nil, err
	}
	now.Suites = maps.Clone(now.Suites)
	if now.Suites == nil {
		now.Suites = map[string]int{}
	}
	now.Suites[slot] = id
	file := e.file
	file.Users = &now
	if err := e.p.save(e.files.record(), file); err != nil {
		ids.free(id)
		return nil, err
	}
	e.file = file
	return &process.User{UID: id, GID: id}, nil
}

// forgetSuite takes back the id of a slot that is gone. Its logs stay, and are ours then. The
// caller holds e.mu.
func (e *environment) forgetSuite(slot string) error {
	if e.p.users.ids == nil {
		return nil
	}
	if err := giveTree(e.files.slotLogs(slot), root); err != nil {
		return fmt.Errorf("take over the logs of slot %q: %w", slot, err)
	}
	if e.file.Users == nil || e.file.Users.Suites[slot] == 0 {
		return nil
	}
	now := *e.file.Users
	now.Suites = maps.Clone(now.Suites)
	delete(now.Suites, slot)
	file := e.file
	file.Users = &now
	if err := e.p.save(e.files.record(), file); err != nil {
		return err
	}
	e.p.users.ids.free(e.file.Users.Suites[slot])
	e.file = file
	return nil
}

// reserve notes the ids of all environments before any gets a new one. Those of an environment
// whose record can't be read are told by its files.
func (p *Platform) reserve(environments []string) {
	if p.users.ids == nil {
		return
	}
	for _, name := range environments {
		var file environmentFile
		dir := filepath.Join(p.dir.environments(), name)
		err := store.Load(filepath.Join(dir, "environment.json"), &file)
		p.users.ids.keep(file.Users.all()...)
		if err == nil {
			continue
		}
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if id, found := ownerOf(path); found {
				p.users.ids.keep(id)
			}
			return nil // what can't be read tells nothing
		})
	}
}

// moveIn gives an environment of before ids of its own, once nothing of it runs as the user
// that all shared: that would lose its files. The files change hands before the record does.
func (e *environment) moveIn() error {
	ids := e.p.users.ids
	if ids == nil || e.file.Users != nil && e.file.Users.Application != 0 {
		return nil
	}
	if e.runs() {
		e.p.log.Info("the environment keeps the user that it shares with others until all of it was stopped once", "environment", e.id.String())
		return nil
	}
	id, err := ids.give(e.p.dir.in(e.id.String()))
	if err != nil {
		return err
	}
	u := &process.User{UID: id, GID: id}
	folders, err := filepath.Glob(filepath.Join(e.files.slots(), "*", "stacks", "*", "*"))
	for _, folder := range append(folders, e.files.accounts()) {
		err = errors.Join(err, giveTree(folder, u))
	}
	if err != nil {
		return fmt.Errorf("give environment %q a user of its own: %w", e.id, err)
	}
	now := usersFile{Application: id}
	if e.file.Users != nil {
		now.Suites = e.file.Users.Suites
	}
	file := e.file
	file.Users = &now
	if err := e.p.save(e.files.record(), file); err != nil {
		return err
	}
	e.file = file
	return nil
}

// runs says whether anything that the slots' records name still runs.
func (e *environment) runs() bool {
	alive := func(id process.Identity) bool {
		p, err := e.p.find(id)
		if err == nil {
			p.Release()
		}
		return !errors.Is(err, process.ErrGone)
	}
	for _, s := range e.slots {
		for _, seat := range s.file.Seats {
			for _, i := range seat.Instances {
				if alive(i.Identity) {
					return true
				}
			}
		}
		for _, t := range s.file.Tasks {
			if t.EndedAt == nil && t.Identity != nil && alive(*t.Identity) {
				return true
			}
		}
	}
	return false
}
