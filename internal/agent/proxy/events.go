package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// streamMemory is what the body of an event stream is copied through: they are many, they
// live long, and their events are short.
const streamMemory = 2 << 10

// eventStream is the media type of event streams.
const eventStream = "text/event-stream"

// isEventStream reports whether an answer is one that has no natural end.
func isEventStream(h http.Header) bool {
	types := h["Content-Type"]
	if len(types) == 0 {
		return false
	}
	media, _, _ := strings.Cut(types[0], ";")
	return strings.EqualFold(trim(media), eventStream)
}

// streamBody copies an event stream, which is no ordinary request any longer. When it is
// ended, so is the connection to the instance, and the client gets what has come from there
// and a proper end.
func (x *exchange) streamBody(rep reply) (reusable bool) {
	client := http.NewResponseController(x.w)
	s := x.stack.streams.add(func() {
		_ = client.SetWriteDeadline(time.Now().Add(closeGrace)) // of this answer: the client may not be reading
		_ = x.conn.Close()                                      // wakes up the reader
	})
	x.streams = true
	x.leave()
	err := x.copyBody(rep, make([]byte, streamMemory))
	if err != nil && s.ended.Load() && !errors.Is(err, errClient) {
		if err = client.Flush(); err != nil {
			err = fmt.Errorf("%w: %w", errClient, err)
		}
	}
	x.stack.streams.remove(s)
	if err != nil {
		x.breakOff(err)
	}
	return rep.keepAlive && !s.ended.Load()
}
