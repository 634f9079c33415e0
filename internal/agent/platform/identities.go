//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// The ids that environments and test suites get: those that systemd keeps for users without an
// entry in any file ("Users, Groups, UIDs and GIDs on systemd Systems", DynamicUser=).
const (
	firstID = 61184
	lastID  = 65519
)

// identities hands out numbers that are a user's and a group's at once, each to one purpose.
type identities struct {
	// used says whether the machine has a use for an id already.
	used func(id int) (bool, error)

	mu    sync.Mutex
	given map[int]bool
}

func newIdentities(used func(int) (bool, error)) *identities {
	return &identities{used: used, given: map[int]bool{}}
}

// give returns an id that nobody has. It looks from a place on that the purpose determines, so
// that two installations of one machine rarely begin at the same.
func (i *identities) give(purpose string) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	const span = lastID - firstID + 1
	h := fnv.New32a()
	_, _ = h.Write([]byte(purpose)) // a hash takes everything
	start := int(h.Sum32() % span)
	for n := range span {
		id := firstID + (start+n)%span
		if i.given[id] {
			continue
		}
		used, err := i.used(id)
		if err != nil {
			return 0, fmt.Errorf("look for a free user id: %w", err)
		}
		if !used {
			i.given[id] = true
			return id, nil
		}
	}
	return 0, fmt.Errorf("look for a free user id: all from %d to %d are in use", firstID, lastID)
}

// keep notes ids that were given before; 0 is none.
func (i *identities) keep(ids ...int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range ids {
		i.given[id] = true
	}
}

// free takes ids back, after the last process and file of theirs is gone.
func (i *identities) free(ids ...int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range ids {
		delete(i.given, id)
	}
}

// usedOnMachine looks into the databases of users and groups, at what systemd gave away, and
// at who runs.
func usedOnMachine(id int) (bool, error) {
	text := strconv.Itoa(id)
	var noUser user.UnknownUserIdError
	if _, err := user.LookupId(text); err == nil {
		return true, nil
	} else if !errors.As(err, &noUser) {
		return false, err
	}
	var noGroup user.UnknownGroupIdError
	if _, err := user.LookupGroupId(text); err == nil {
		return true, nil
	} else if !errors.As(err, &noGroup) {
		return false, err
	}
	if _, err := os.Lstat(filepath.Join("/run/systemd/dynamic-uid", text)); err == nil {
		return true, nil
	}
	processes, err := filepath.Glob("/proc/[0-9]*") // macOS has none
	for _, path := range processes {
		if owner, found := ownerOf(path); found && owner == id {
			return true, nil
		}
	}
	return false, err
}

// ownerOf is the user id of a file's owner.
func ownerOf(path string) (int, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
