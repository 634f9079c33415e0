//go:build !windows

package platform

import (
	"os"
	"os/user"
	"strconv"
	"testing"
)

func TestIdentitiesAreGivenOnce(t *testing.T) {
	t.Parallel()
	const foreign = firstID + 7
	ids := newIdentities(func(id int) (bool, error) { return id == foreign, nil })
	ids.keep(firstID)
	given := map[int]bool{}
	const span = lastID - firstID + 1
	for range span - 2 {
		id, err := ids.give("always the same")
		if err != nil {
			t.Fatal(err)
		}
		if id < firstID || id > lastID || id == firstID || id == foreign || given[id] {
			t.Fatalf("got %d after %d others", id, len(given))
		}
		given[id] = true
	}
	if id, err := ids.give("one too many"); err == nil {
		t.Errorf("got %d, want an error: all are in use", id)
	}
	ids.free(firstID + 1)
	if id, err := ids.give("one that came back"); err != nil || id != firstID+1 {
		t.Errorf("got %d, %v, want the one that was taken back", id, err)
	}
}

func TestUsedOnMachine(t *testing.T) {
	t.Parallel()
	me := os.Getuid()
	if used, err := usedOnMachine(me); err != nil || !used {
		t.Errorf("our own id %d: got %t, %v, want it in use", me, used, err)
	}
	for id := lastID; id >= firstID; id-- {
		if _, err := user.LookupId(strconv.Itoa(id)); err == nil {
			continue
		}
		if used, err := usedOnMachine(id); err == nil && !used {
			return
		}
	}
	t.Error("every id of the range is in use")
}
