package proxy

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	dialLimit = 2 * time.Second
	// readBuffer is what a connection to an instance buffers: the head of common answers,
	// and the whole of small ones.
	readBuffer = 4 << 10
)

// conn is a connection to an instance. One goroutine at a time reads, one writes; Close
// may be called by anybody, and more than once.
type conn struct {
	*net.TCPConn
	reader    *bufio.Reader
	socket    syscall.RawConn
	peek      func(fd uintptr) bool // made once, for alive
	dead      bool                  // what peek found
	used      bool                  // it has been in the pool
	idleSince time.Time
}

func dial(ctx context.Context, address string) (*conn, error) {
	dialer := net.Dialer{Timeout: dialLimit, KeepAlive: -1}
	made, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &conn{TCPConn: made.(*net.TCPConn), reader: bufio.NewReaderSize(made, readBuffer)}
	if c.socket, err = c.SyscallConn(); err != nil {
		_ = c.Close() // it has not been used
		return nil, fmt.Errorf("access socket: %w", err)
	}
	c.peek = func(fd uintptr) bool {
		c.dead = peekDead(fd)
		return true
	}
	return c, nil
}

// alive reports whether the other side has neither closed the connection nor said anything.
func (c *conn) alive() bool {
	return c.socket.Read(c.peek) == nil && !c.dead
}
