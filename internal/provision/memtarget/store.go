package memtarget

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// store is what an installation holds. Every access is under mu.
type store struct {
	options Options

	mu           sync.Mutex
	installation string // "" where there is none
	// ended says that the installation was removed with its last region.
	ended        bool
	installed    int // how many installations there have been
	regions      map[string]target.RegionRecord
	environments map[target.EnvironmentID]*environment
	databases    map[target.AccountDatabaseID]*database
	slots        map[target.SlotID]*slot
	log          []Event

	// What tests set, which outlives installations.
	foreign   map[target.AccountDatabaseID]bool
	hindered  map[string]hindrance
	instances []instanceRule
	loads     []loadRule
	answers   []answerRule
	tasks     map[string]TaskBehaviour
}

func newStore(o Options) *store {
	s := &store{
		options:  o,
		foreign:  map[target.AccountDatabaseID]bool{},
		hindered: map[string]hindrance{},
		tasks:    map[string]TaskBehaviour{},
	}
	s.clear()
	return s
}

// clear ends the installation.
func (s *store) clear() {
	s.installation, s.ended = "", false
	s.regions = map[string]target.RegionRecord{}
	s.environments = map[target.EnvironmentID]*environment{}
	s.databases = map[target.AccountDatabaseID]*database{}
	s.slots = map[target.SlotID]*slot{}
}

// install makes an installation where there is none.
func (s *store) install() {
	if s.installation != "" && !s.ended {
		return
	}
	s.ended = false
	s.installed++
	s.installation = s.options.Installation
	if s.installed > 1 {
		s.installation = fmt.Sprintf("%s-%d", s.options.Installation, s.installed)
	}
}

// known refuses to say anything of objects while there is no installation to hold them.
func (s *store) known() error {
	if s.installation == "" {
		return target.Errorf(target.ErrNoInstallation, "memory target %q has no installation", s.options.Installation)
	}
	return nil
}

func (s *store) now() time.Time { return s.options.Clock.Now().UTC() }

// missing is the error for an object that is not there.
func missing(noun string, id any) error {
	return target.Errorf(target.ErrNotFound, "%s \"%v\" does not exist", noun, id)
}

// next is the meta of an object at old (the zero Meta: not there) after a put. Same says that
// the stored definition is the one put. The generation stands still while an object is
// unfinished: what is resumed with another definition was never anything else.
func (s *store) next(what string, old target.Meta, same bool, o target.PutOptions) (target.Meta, error) {
	m := old
	same = same && old.Generation > 0 && old.Owner == o.Owner
	switch {
	case same && (old.Generation == o.IfGeneration || old.Generation == o.IfGeneration+1):
		return m, nil
	case old.Generation != o.IfGeneration:
		return m, target.Errorf(target.ErrConflict, "%s is at generation %d, not at %d", what, old.Generation, o.IfGeneration)
	}
	if m.Generation == 0 || m.Ready {
		m.Generation++
	}
	m.Owner, m.ChangedAt = o.Owner, s.now()
	if m.CreatedAt.IsZero() {
		m.CreatedAt = m.ChangedAt
	}
	return m, nil
}

// clone copies what is put by way of JSON, as a target stores it; that refuses ids that are none.
func clone[T any](v T) (T, error) {
	var out T
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, target.Errorf(target.ErrInvalid, "store %T: %v", v, err)
	}
	return out, nil
}
