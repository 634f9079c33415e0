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
	// serveHealthy is how long a serve must live for its predecessors' deaths to be forgotten.
	serveHealthy = 10 * time.Second
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
	if err := remove(lockPath(h.DataDir)); err != nil {
		h.Log.Warn("lock file stays", "error", err)
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

// answer does what a serve asks for. Everything may be asked again.
func (h *holder) answer(from *serve, m message) {
	switch m.Op {
	case opListen:
		h.listen(from, m)
	case opUnlisten:
		from.reply(m, h.sockets.close(m.socket().Key))
	case opList:
		h.list(from, m)
	case opReady:
		h.ready(from, m)
	case opUpgrade:
		h.startUpgrade(from, m)
	case opKeep:
		if from == h.active {
			h.failUpgrade(errKept)
		}
		from.reply(m, nil)
	case opRelease:
		h.release(from, m)
	case opBye:
		h.bye(from, m)
	default:
		from.reply(m, fmt.Errorf("hold does not know %q", m.Op))
	}
}

func (h *holder) listen(from *serve, m message) {
	if h.ending() {
		from.reply(m, errEnding)
		return
	}
	held, err := h.sockets.open(m.socket())
	if err != nil {
		from.reply(m, err)
		return
	}
	from.send(message{Op: opReply, ID: m.ID}, held.Descriptor)
}

// list sends all sockets, then the reply.
func (h *holder) list(to *serve, m message) {
	for _, held := range h.sockets.all() {
		to.send(message{Op: opSocket, ID: m.ID, Socket: &held.socketSpec}, held.Descriptor)
	}
	to.reply(m, nil)
}

// ready lets the one that supervises go on at once; who waits for it in an upgrade hears later. The
// answer comes with all sockets: the one that supervises must be able to leave them to another hold.
func (h *holder) ready(from *serve, m message) {
	from.ready = true
	if from != h.active {
		from.waiting = &m
		h.standbyReady(from)
		return
	}
	h.list(from, m)
	h.everReady = true
	h.Log.Info("serve is ready", "pid", from.pid)
	if h.birth != nil {
		_, _ = h.birth.Write([]byte{'.'}) // Spawn may be gone
		_ = h.birth.Close()
		h.birth = nil
	}
}

// gone reacts to the death of a serve.
func (h *holder) gone(s *serve) {
	s.link.close()
	h.forget(s)
	switch {
	case s == h.active:
		h.active = nil
		h.Log.Info("serve ended", "pid", s.pid)
		h.succeed(s)
	case h.upgrade != nil && s == h.upgrade.standby:
		h.standbyGone()
	}
}

// succeed finds somebody to supervise after the death of the one that did.
func (h *holder) succeed(dead *serve) {
	switch {
	case h.ending():
	case h.stopAsked:
		h.failure = errNoBye
		h.end()
	case h.upgrade != nil && h.upgrade.standby != nil:
		h.promote() // it has let go for good
	default:
		h.upgrade = nil
		if time.Since(dead.startedAt) >= serveHealthy {
			h.deaths = 0
		}
		h.deaths++
		if !h.everReady && h.deaths >= serveTries {
			h.failure = errServeFails
			h.end()
			return
		}
		h.respawn.Reset(respawnAfter(h.deaths))
	}
}

// respawnAfter is the wait after so many deaths in a row: none, 100 ms, 200 ms … 5 s.
func respawnAfter(deaths int) time.Duration {
	if deaths <= 1 {
		return 0
	}
	return min(respawnFirst<<min(deaths-2, 10), respawnMax)
}

// askToStop passes a signal on. Without a serve there is nobody to decide what stopping means.
func (h *holder) askToStop() {
	h.stopAsked = true
	if h.active == nil {
		h.failure = errNoBye
		h.end()
		return
	}
	h.active.send(message{Op: opStop})
}

// bye begins the end of the agent.
func (h *holder) bye(from *serve, m message) {
	if from != h.active {
		from.reply(m, errNotActive)
		return
	}
	h.byeSaid = true
	h.end()
	from.reply(m, nil)
}

func (h *holder) ending() bool { return h.byeSaid || h.failure != nil }

// end closes all sockets and sees to it that no serve stays.
func (h *holder) end() {
	h.tidy()
	h.respawn.Stop()
	h.goodbye.Reset(goodbyeLimit)
	h.failUpgrade(errEnding)
	for _, s := range h.others {
		s.send(message{Op: opStop})
	}
}

// tidy removes what a running agent has in its data directory, but for the lock.
func (h *holder) tidy() {
	for key := range h.sockets {
		if err := h.sockets.close(key); err != nil {
			h.Log.Warn("socket is not closed cleanly", "error", err)
		}
	}
	if err := remove(infoPath(h.DataDir)); err != nil {
		h.Log.Warn("agent info stays", "error", err)
	}
}

func (h *holder) killAll() {
	for _, s := range h.everybody() {
		h.Log.Warn("serve does not end: killing it", "pid", s.pid)
		s.kill()
	}
}
