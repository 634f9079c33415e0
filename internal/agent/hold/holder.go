//go:build linux || darwin

package hold

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// serveTries is how often a first serve, or one of an upgrade, may die before it is ready.
	serveTries = 3
	// healthy is how long a serve or a hold must live for its predecessors' deaths to be forgotten.
	healthy      = time.Second
	respawnFirst = 100 * time.Millisecond
	respawnMax   = 5 * time.Second
	// goodbyeLimit is how long a serve that ends may take before it is killed.
	goodbyeLimit = 10 * time.Second
)

// holder is hold at work: one goroutine that reacts to events and owns all that is below.
type holder struct {
	Options
	executable string // what serves are started from
	name       string // the same for people
	startedAt  time.Time
	lock       *os.File
	birth      *os.File // nil once Spawn knows that the agent works
	sockets    socketTable

	active   *serve // who supervises; nil while there is nobody
	others   []*serve
	upgrade  *upgrade // nil unless one is under way
	becoming bool     // become the executable as soon as that loses nothing

	deaths    int  // of active serves in a row
	everReady bool // whether a serve has ever come up
	stopAsked bool
	byeSaid   bool
	failure   error // why hold ends without a bye

	respawn *time.Timer
	goodbye *time.Timer

	events  chan event
	ctx     context.Context // ends with hold, for its helpers
	cancel  context.CancelFunc
	helpers sync.WaitGroup
}

// event is what happens to a holder.
type event struct {
	from        *serve
	message     message
	descriptors []int
	gone        bool      // from is dead
	examined    *examined // an executable was examined
}

func newHolder(options Options, left estate) (_ *holder, err error) {
	h := &holder{
		Options: options, startedAt: time.Now().UTC(), sockets: socketTable{}, stopAsked: left.StopAsked,
		everReady: len(left.Serves)+len(left.Sockets) > 0,
		respawn:   stoppedTimer(), goodbye: stoppedTimer(), events: make(chan event, 16),
	}
	if h.DataDir, err = filepath.Abs(options.DataDir); err != nil {
		return nil, fmt.Errorf("find data directory: %w", err)
	}
	if h.executable, err = self(); err != nil {
		return nil, err
	}
	if h.name, err = selfName(); err != nil {
		return nil, err
	}
	if left.Lock == 0 {
		if h.lock, err = acquire(h.DataDir); err != nil {
			return nil, err
		}
	} else {
		h.lock = os.NewFile(uintptr(left.Lock), "lock")
	}
	closeOnExec(left.Lock, left.Birth)
	if left.Birth != 0 {
		h.birth = os.NewFile(uintptr(left.Birth), "birth")
	}
	for _, held := range left.Sockets {
		closeOnExec(held.Descriptor)
		h.sockets[held.Key] = held
	}
	if err := h.describe(); err != nil {
		if len(left.Serves) == 0 {
			return nil, err
		}
		h.Log.Error("agent info is not up to date", "error", err) // no reason to leave a working serve alone
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	for _, one := range left.Serves {
		if err := h.adopt(one); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(0)
	t.Stop()
	return t
}

// describe writes agent.json.
func (h *holder) describe() error {
	if !h.owns() {
		return errNotOurs
	}
	return Info{PID: os.Getpid(), StartedAt: h.startedAt, Version: h.Version, Executable: h.name}.write(h.DataDir)
}

// run reacts to events until the agent has ended.
func (h *holder) run(signals <-chan os.Signal) error {
	defer h.helpers.Wait()
	defer h.cancel()
	if h.active == nil {
		h.startActive()
	}
	for !h.over() {
		if h.becoming {
			h.become()
			continue
		}
		select {
		case e := <-h.events:
			h.handle(e)
		case <-signals:
			h.askToStop()
		case <-h.respawn.C:
			h.startActive()
		case <-h.upgradeLimit():
			h.failUpgrade(errUpgradeTime)
		case <-h.goodbye.C:
			h.killAll()
		}
	}
	h.Log.Info("agent ends", "error", h.failure)
	h.tidy()
	// The name of the lock goes last: from here on another agent may start.
	if h.owns() {
		if err := remove(lockPath(h.DataDir)); err != nil {
			h.Log.Warn("lock file stays", "error", err)
		}
	}
	return h.failure
}

// over says whether hold may end: it has a reason to, and no serve is left.
func (h *holder) over() bool {
	return (h.byeSaid || h.failure != nil) && h.active == nil && len(h.others) == 0
}

func (h *holder) handle(e event) {
	switch {
	case e.examined != nil:
		h.examined(*e.examined)
	case e.gone:
		h.gone(e.from)
	default:
		closeAll(e.descriptors) // nobody has reason to send us any
		h.answer(e.from, e.message)
	}
}
