package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// streamMemory is what the body of an event stream is copied through: they are many, they
// live long, and their events are short.
const streamMemory = 2 << 10

// isEventStream reports whether an answer is one that has no natural end.
func isEventStream(h http.Header) bool {
	types := h["Content-Type"]
	if len(types) == 0 {
		return false
	}
	media, _, _ := strings.Cut(types[0], ";")
	return strings.EqualFold(trim(media), "text/event-stream")
}

// streamBody copies an event stream, which is no ordinary request any longer.
func (x *exchange) streamBody(rep reply) (reusable bool) {
	s := x.stack.streams.add(x.conn)
	defer x.stack.streams.remove(s)
	x.streams = true
	x.leave()
	err := x.copyBody(rep, make([]byte, streamMemory))
	if err != nil && !s.ended.Load() {
		x.breakOff(err)
	}
	return err == nil && rep.keepAlive
}

// splice passes on the instance's consent to become a WebSocket, and then everything both
// sides say, until one of them breaks off or both have ended.
func (x *exchange) splice(rep reply, h http.Header) {
	if !x.unguard() {
		x.clientLeft()
	}
	x.proxy.spliced.enter()
	defer x.proxy.spliced.leave()
	s := x.stack.streams.add(x.conn)
	defer x.stack.streams.remove(s)
	h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{rep.upgrade}
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.breakOff(err)
	}
	defer client.Close()
	x.streams = true
	x.leave()
	if err := writeSwitch(client, h); err != nil {
		return
	}
	ended := make(chan error, 2)
	go func() { ended <- relay(x.conn, buffered.Reader, x.conn.CloseWrite) }()
	go func() { ended <- relay(client, x.conn.reader, func() error { return closeWrite(client) }) }()
	for range 2 {
		if err := <-ended; err != nil {
			_ = x.conn.Close() // either side may still be at work
			_ = client.Close()
		}
	}
}

func writeSwitch(client net.Conn, h http.Header) error {
	var head strings.Builder
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	if err := h.Write(&head); err != nil {
		return err
	}
	head.WriteString("\r\n")
	_, err := io.WriteString(client, head.String())
	return err
}

// relay writes what a reader brings, through nothing but the reader's own buffer, until it
// ends, and passes the end on.
func relay(to io.Writer, from *bufio.Reader, end func() error) error {
	for {
		if _, err := from.Peek(1); errors.Is(err, io.EOF) {
			return end()
		} else if err != nil {
			return err
		}
		piece, err := from.Peek(from.Buffered())
		if err != nil {
			return err
		}
		if _, err := to.Write(piece); err != nil {
			return err
		}
		if _, err := from.Discard(len(piece)); err != nil {
			return err
		}
	}
}

// closeWrite tells the client that nothing more will come.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}
