//go:build linux || darwin

package hold

import (
	"time"
)

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
		if dead.ready && time.Since(dead.startedAt) >= healthy {
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

// tidy removes what a running agent has in its data directory, but for the lock. In a directory that is
// not ours any more, files of these names are another agent's.
func (h *holder) tidy() {
	ours := h.owns()
	for key := range h.sockets {
		closeSocket := h.sockets.close
		if !ours {
			closeSocket = h.sockets.shut
		}
		if err := closeSocket(key); err != nil {
			h.Log.Warn("socket is not closed cleanly", "error", err)
		}
	}
	if !ours {
		return
	}
	if err := remove(infoPath(h.DataDir)); err != nil {
		h.Log.Warn("agent info stays", "error", err)
	}
}

// owns says whether the data directory is still the one that we have locked.
func (h *holder) owns() bool {
	ours, err := isAt(h.lock, lockPath(h.DataDir))
	return err == nil && ours
}

func (h *holder) killAll() {
	for _, s := range h.everybody() {
		h.Log.Warn("serve does not end: killing it", "pid", s.pid)
		s.kill()
	}
}
