package proxy

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// smallBody is the length up to which a body goes in one piece with its head.
	smallBody = 8 << 10
	// continueLimit is how long a body waits for the instance's "100 Continue".
	continueLimit = time.Second
	// sendGrace is how long a body may go on after the answer to it has ended: the last write
	// may just be returning, or the application answers first and reads then.
	sendGrace = 50 * time.Millisecond
	// chunkRoom is kept before the data of a chunk for its length and a line end.
	chunkRoom = 10
)

var errBodyStopped = errors.New("the answer was there before the body")

// sender sends a body that is too long for one piece, while the exchange already waits for
// the answer. The exchange ends it with finish.
type sender struct {
	conn    *conn
	request *http.Request
	waiter  *waiter
	allowed chan struct{} // closed by allow; nil if the body need not wait
	stopped chan struct{} // closed by finish
	read    atomic.Bool   // all of the body has been read from the client
	failed  atomic.Bool   // it could not be read from the client
	done    chan struct{} // closed when send has returned
	err     error         // what it returned
}

// expectsContinue reports whether the client waits with its body for an answer to its head.
func expectsContinue(r *http.Request) bool {
	return r.ContentLength != 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue")
}

// isSmall reports whether the body of a request can be sent in one piece with its head.
func isSmall(r *http.Request) bool {
	return r.ContentLength >= 0 && r.ContentLength <= smallBody && !expectsContinue(r)
}

func startSender(c *conn, r *http.Request, w *waiter, memory *buffers) *sender {
	s := &sender{conn: c, request: r, waiter: w, stopped: make(chan struct{}), done: make(chan struct{})}
	if expectsContinue(r) {
		s.allowed = make(chan struct{})
	}
	go func() {
		defer close(s.done)
		buffer := memory.get()
		defer memory.put(buffer)
		s.err = s.send((*buffer)[:cap(*buffer)])
	}()
	return s
}

// allow lets a body go that has waited for the instance's consent.
func (s *sender) allow() {
	if s == nil || s.allowed == nil {
		return
	}
	select {
	case <-s.allowed:
	default:
		close(s.allowed)
	}
}

// unread reports whether there may be bytes of the body that were never read, so that the
// client's HTTP/1.1 connection cannot be used for another request.
func (s *sender) unread() bool { return s != nil && !s.read.Load() }

// clientFailed reports whether the sending broke off on the client's side.
func (s *sender) clientFailed() bool { return s != nil && s.failed.Load() }

// finish ends the sending, whether it is complete or not, and reports whether it was. It
// comes when the answer has ended.
func (s *sender) finish(w http.ResponseWriter) bool {
	if s == nil {
		return true
	}
	grace := time.NewTimer(sendGrace)
	defer grace.Stop()
	select {
	case <-s.done:
		return s.err == nil
	case <-grace.C:
	}
	close(s.stopped)
	_ = s.conn.Close() // wakes up a write
	if s.unread() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // wakes up a read
	}
	<-s.done
	return false
}

func (s *sender) send(buffer []byte) error {
	if s.allowed != nil {
		limit := time.NewTimer(continueLimit)
		defer limit.Stop()
		select {
		case <-s.allowed:
		case <-limit.C: // the instance does not know about this
		case <-s.stopped:
			return errBodyStopped
		}
	}
	for {
		s.waiter.pause()
		n, err := s.request.Body.Read(buffer[chunkRoom : len(buffer)-len("\r\n")])
		s.waiter.resume()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			s.failed.Store(true)
			_ = s.conn.Close() // the instance must not take the part for the whole
			return err
		}
		if end {
			s.read.Store(true) // before the instance can answer to the last of it
		}
		if _, err := s.conn.Write(s.frame(buffer, n, end)); err != nil {
			return err
		}
		if end {
			return nil
		}
	}
}

// frame makes a piece of the body, n bytes behind the chunk room, what goes over the wire.
func (s *sender) frame(buffer []byte, n int, end bool) []byte {
	if s.request.ContentLength >= 0 {
		return buffer[chunkRoom : chunkRoom+n]
	}
	start, piece := chunkRoom, buffer[:chunkRoom+n]
	if n > 0 {
		var room [chunkRoom]byte
		size := append(strconv.AppendInt(room[:0], int64(n), 16), "\r\n"...)
		start -= copy(buffer[chunkRoom-len(size):], size)
		piece = append(piece, "\r\n"...)
	}
	if end {
		piece = append(piece, "0\r\n"...)
		for key, values := range s.request.Trailer {
			for _, value := range values {
				if httpguts.ValidHeaderFieldValue(value) {
					piece = appendField(piece, key, value)
				}
			}
		}
		piece = append(piece, "\r\n"...)
	}
	return piece[start:]
}
