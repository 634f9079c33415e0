package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// splice passes on the instance's consent to become a WebSocket, and then everything both
// sides say, until one of them breaks off or both have ended.
func (x *exchange) splice(rep reply, h http.Header) {
	if !x.unguard() {
		x.clientLeft()
	}
	x.proxy.spliced.enter()
	defer x.proxy.spliced.leave()
	h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{rep.upgrade}
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.breakOff(err)
	}
	defer client.Close()
	if err := writeSwitch(client, h); err != nil {
		return
	}
	up, down := newLane(x.conn, fromClient), newLane(client, fromServer)
	var goodbye sync.WaitGroup
	s := x.stack.streams.add(func() {
		goodbye.Go(func() { sayGoodbye(client, x.conn, up, down) })
	})
	defer goodbye.Wait()
	defer x.stack.streams.remove(s)
	x.streams = true
	x.leave()
	ended := make(chan error, 2)
	go func() { ended <- relay(up, buffered.Reader, x.conn.CloseWrite) }()
	go func() { ended <- relay(down, x.conn.reader, func() error { return closeWrite(client) }) }()
	for range 2 {
		if err := <-ended; err != nil {
			_ = x.conn.Close() // either side may still be at work
			_ = client.Close()
		}
	}
}

// sayGoodbye ends both lanes and lets the ends answer for a while.
func sayGoodbye(client, instance net.Conn, up, down *lane) {
	until := time.Now().Add(closeGrace)
	for _, c := range []net.Conn{client, instance} {
		_ = c.SetDeadline(until) // whoever is stuck there now is freed then, and ends the relay
	}
	for _, l := range []*lane{up, down} {
		_ = l.end() // whom it cannot be said to learns it by the end of the connection
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
// ends, and passes the end on; or until the lane has ended.
func relay(to *lane, from *bufio.Reader, end func() error) error {
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
		over, err := to.pass(piece)
		if over || err != nil {
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
