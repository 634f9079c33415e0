//go:build linux || darwin

package hold

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// What the two halves say. Each comes with an id, which its reply repeats.
const (
	opListen   = "listen"
	opUnlisten = "unlisten"
	opList     = "list"
	opReady    = "ready"
	opUpgrade  = "upgrade"
	opKeep     = "keep"
	opRelease  = "release"
	opBye      = "bye"

	opReply  = "reply"
	opSocket = "socket" // one of those that list asked for
	opStop   = "stop"
)

// message is one line of the protocol. Unknown fields are ignored: hold and serve of neighbouring
// versions meet in an upgrade.
type message struct {
	ID         uint64      `json:"id,omitempty"`
	Op         string      `json:"op"`
	Socket     *socketSpec `json:"socket,omitempty"`
	Executable string      `json:"executable,omitempty"`
	// Descriptors is how many travel with the message.
	Descriptors int      `json:"descriptors,omitempty"`
	Problem     *problem `json:"problem,omitempty"`
}

// socket returns the one that the message is about.
func (m message) socket() socketSpec {
	if m.Socket == nil {
		return socketSpec{}
	}
	return *m.Socket
}

// socketSpec is a listening socket as it is asked for.
type socketSpec struct {
	// Key is its name between the halves: asking again under a key returns the same socket.
	Key string `json:"key"`
	// Network is "tcp" or "unix".
	Network string `json:"network"`
	// Address is host:port or a path.
	Address string `json:"address"`
	// Mode is the permission of a unix socket.
	Mode fs.FileMode `json:"mode,omitempty"`
}

// problem is an error that travels.
type problem struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno,omitempty"`
}

func problemOf(err error) *problem {
	if err == nil {
		return nil
	}
	p := &problem{Text: err.Error()}
	_ = errors.As(err, &p.Errno) // stays 0 when there is none
	return p
}

func (p *problem) Error() string { return p.Text }

func (p *problem) Unwrap() error {
	if p.Errno == 0 {
		return nil
	}
	return p.Errno
}

// link is one end of the socket pair. One goroutine may receive while others send.
type link struct {
	conn    *net.UnixConn
	sending sync.Mutex

	received    []byte // not yet a whole line
	descriptors []int  // not yet claimed by a line
}

// newLink takes over the descriptor of an end.
func newLink(fd int) (*link, error) {
	file := os.NewFile(uintptr(fd), "link")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("open link: descriptor %d is no unix socket", fd), conn.Close())
	}
	return &link{conn: unixConn}, nil
}

// newPair returns our end of a new link and the descriptor of the other one.
func newPair() (*link, *os.File, error) {
	syscall.ForkLock.RLock() // macOS cannot make them close-on-exec at once
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("open link: %w", err)
	}
	ours, err := newLink(fds[0])
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(fds[1]))
	}
	return ours, os.NewFile(uintptr(fds[1]), "link"), nil
}

// send writes a message with its descriptors, which stay the caller's.
func (l *link) send(m message, descriptors ...int) error {
	m.Descriptors = len(descriptors)
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Op, err)
	}
	line = append(line, '\n')
	var rights []byte
	if len(descriptors) > 0 {
		rights = unix.UnixRights(descriptors...)
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	n, _, err := l.conn.WriteMsgUnix(line, rights, nil)
	if err == nil && n < len(line) {
		_, err = l.conn.Write(line[n:])
	}
	if err != nil {
		return fmt.Errorf("send %s: %w", m.Op, err)
	}
	return nil
}

// receive returns the next message and its descriptors, which become the caller's. Descriptors arrive
// with the first byte of their line or before it, and in order.
func (l *link) receive() (message, []int, error) {
	for {
		if line, rest, found := bytes.Cut(l.received, []byte{'\n'}); found {
			l.received = rest
			return l.decode(line)
		}
		if err := l.fill(); err != nil {
			return message{}, nil, err
		}
	}
}

func (l *link) decode(line []byte) (message, []int, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, nil, fmt.Errorf("decode message: %w", err)
	}
	if m.Descriptors < 0 || m.Descriptors > len(l.descriptors) {
		return message{}, nil, fmt.Errorf("decode %s: %d descriptors announced, %d came", m.Op, m.Descriptors, len(l.descriptors))
	}
	descriptors := l.descriptors[:m.Descriptors:m.Descriptors]
	l.descriptors = l.descriptors[m.Descriptors:]
	return m, descriptors, nil
}

// fill reads what there is.
func (l *link) fill() error {
	text := make([]byte, 4096)
	control := make([]byte, unix.CmsgSpace(4*8))
	n, controlLength, _, _, err := l.conn.ReadMsgUnix(text, control)
	if err != nil {
		return err // io.EOF when the other half is dead; os.ErrDeadlineExceeded has a meaning for hold
	}
	l.received = append(l.received, text[:n]...)
	messages, err := unix.ParseSocketControlMessage(control[:controlLength])
	if err != nil {
		return fmt.Errorf("receive descriptors: %w", err)
	}
	for _, m := range messages {
		descriptors, err := unix.ParseUnixRights(&m)
		if err != nil {
			return fmt.Errorf("receive descriptors: %w", err)
		}
		l.descriptors = append(l.descriptors, descriptors...)
	}
	return nil
}

func (l *link) close() { _ = l.conn.Close() }

func closeAll(descriptors []int) {
	for _, fd := range descriptors {
		_ = unix.Close(fd)
	}
}
