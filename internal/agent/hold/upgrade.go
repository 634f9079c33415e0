//go:build linux || darwin

package hold

import (
	"errors"
	"time"
)

// upgradeLimit is how long a new serve may take to become ready.
const upgradeLimit = time.Minute

var (
	errUpgradeTime  = errors.New("the new serve was not ready within " + upgradeLimit.String())
	errUpgradeFails = errors.New("the new serve ended several times before it was ready: see the log")
	errUpgrading    = errors.New("another upgrade is under way")
	errKept         = errors.New("the upgrade was called off")
	errEnding       = errors.New("the agent ends")
	errNotActive    = errors.New("this serve does not supervise")
)

// upgrade is a change of the executable under way.
type upgrade struct {
	executable string
	version    string
	from       *serve
	request    message // answered when the new serve is ready or cannot be had
	standby    *serve  // the new serve; nil while the executable is examined
	tries      int
	limit      *time.Timer
}

// examined is the outcome of looking at an executable.
type examined struct {
	upgrade *upgrade
	version string
	err     error
}

// startUpgrade first makes sure that the executable is one of ours.
func (h *holder) startUpgrade(from *serve, m message) {
	switch u := h.upgrade; {
	case from != h.active || h.ending():
		from.reply(m, errNotActive)
		return
	case u != nil && u.executable == m.Executable && u.standby != nil && u.standby.ready:
		from.reply(m, nil)
		return
	case u != nil:
		from.reply(m, errUpgrading)
		return
	}
	u := &upgrade{executable: m.Executable, from: from, request: m, limit: time.NewTimer(upgradeLimit)}
	h.upgrade = u
	h.helpers.Go(func() {
		version, err := examine(h.ctx, u.executable, h.Commands.Handshake)
		h.post(event{examined: &examined{u, version, err}})
	})
}

func (h *holder) examined(e examined) {
	if e.upgrade != h.upgrade {
		return // called off meanwhile
	}
	if e.err != nil {
		h.failUpgrade(e.err)
		return
	}
	h.upgrade.version = e.version
	h.startStandby()
}

// startStandby starts the new serve beside the one that supervises.
func (h *holder) startStandby() {
	u := h.upgrade
	u.tries++
	s, err := h.start(u.executable, u.executable, true)
	if err != nil {
		h.failUpgrade(err)
		return
	}
	u.standby = s
	h.others = append(h.others, s)
}

// standbyReady tells the old serve that it may let go.
func (h *holder) standbyReady(s *serve) {
	if h.upgrade == nil || h.upgrade.standby != s {
		return
	}
	h.upgrade.limit.Stop()
	h.upgrade.from.reply(h.upgrade.request, nil)
}

func (h *holder) standbyGone() {
	h.upgrade.standby = nil
	if h.upgrade.tries >= serveTries {
		h.failUpgrade(errUpgradeFails)
		return
	}
	h.startStandby()
}

// failUpgrade leaves everything as it was before the upgrade, if there is one.
func (h *holder) failUpgrade(reason error) {
	u := h.upgrade
	if u == nil {
		return
	}
	h.upgrade = nil
	u.limit.Stop()
	if u.standby != nil {
		u.standby.kill()
	}
	h.Log.Warn("upgrade is off", "executable", u.executable, "error", reason)
	u.from.reply(u.request, reason) // of no effect if it has heard that the new one is ready
}

// release hands supervision on. Who has let go stays until it has finished its connections. It hears
// that it does not supervise any more before another one hears that it does: should hold be killed in
// between, there is no supervisor, never two.
func (h *holder) release(from *serve, m message) {
	from.reply(m, nil)
	if from != h.active || h.ending() {
		return
	}
	h.active = nil
	h.others = append(h.others, from)
	if h.upgrade != nil && h.upgrade.standby != nil {
		h.promote()
		return
	}
	h.upgrade = nil
	h.startActive() // the new one died after all
}

// promote makes the standby the one that supervises.
func (h *holder) promote() {
	u := h.upgrade
	h.upgrade = nil
	u.limit.Stop()
	s := u.standby
	h.forget(s)
	h.active = s
	h.executable, h.name, h.Version = u.executable, u.executable, u.version
	h.deaths, h.becoming = 0, true
	h.Log.Info("serve takes over", "pid", s.pid, "version", u.version)
	if s.waiting != nil {
		h.list(s, *s.waiting)
	}
	if h.stopAsked {
		s.send(message{Op: opStop})
	}
}

// upgradeLimit fires when an upgrade takes too long; it never does without one.
func (h *holder) upgradeLimit() <-chan time.Time {
	if h.upgrade == nil {
		return nil
	}
	return h.upgrade.limit.C
}
