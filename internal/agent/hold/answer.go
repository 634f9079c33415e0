//go:build linux || darwin

package hold

import (
	"fmt"
)

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
