//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	// ErrNotHeld says that a process was not started by a hold.
	ErrNotHeld = errors.New("serve must be started by hold")
	// ErrHoldGone says that hold died under a serve that does not supervise, or that the client was
	// closed. Such a serve has nothing left to wait for.
	ErrHoldGone = errors.New("hold is gone")
	// errReplaced ends what cannot be asked of another hold than the one that began it.
	errReplaced = errors.New("hold died meanwhile and was replaced")
)

// ConnectOptions of a client.
type ConnectOptions struct {
	// DataDir is the directory that the agent serves.
	DataDir string
	// Commands start another hold if ours dies.
	Commands Commands
	// Log receives what happens; nil discards it.
	Log *slog.Logger
}

// Client is serve's connection to hold. When hold dies under a serve that supervises, the client starts
// another one and leaves it all sockets; callers notice a delay at most. Its methods are safe for
// concurrent use.
type Client struct {
	options ConnectOptions
	lock    *os.File

	mu         sync.Mutex
	link       *link
	lastID     uint64
	pending    map[uint64]*call
	sockets    map[string]heldSocket // copies of hold's, for its successor
	supervises bool
	ended      bool

	hold    *holdProcess // the one that we started, if any; of the goroutine alone
	stop    chan struct{}
	asked   sync.Once
	closing chan struct{}
	closed  sync.Once
	done    chan struct{}
}

// call is a question that waits for its reply.
type call struct {
	message message
	sockets []heldSocket // that came with it
	answer  chan answer  // of size 1
}

type answer struct {
	descriptor int // a copy for the caller, or -1
	err        error
}

// Connect connects a serve to the hold that started it. A serve must do so before it starts any process,
// must not touch what another one may supervise until [Client.Ready] returns, and ends with Close.
func Connect(ctx context.Context, options ConnectOptions) (*Client, error) {
	left, found, err := inherit[legacy](serveVariable)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotHeld
	}
	return connect(ctx, left, options)
}

func connect(ctx context.Context, left legacy, options ConnectOptions) (*Client, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	closeOnExec(left.Link, left.Lock)
	l, err := newLink(left.Link)
	if err != nil {
		return nil, err
	}
	c := &Client{
		options: options, lock: os.NewFile(uintptr(left.Lock), "lock"), link: l,
		pending: map[uint64]*call{}, sockets: map[string]heldSocket{}, supervises: !left.Standby,
		stop: make(chan struct{}), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go c.run(l)
	if _, err := c.do(ctx, message{Op: opList}); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to hold: %w", err)
	}
	return c, nil
}

// Ready says that this serve works, and returns when it is the only one that supervises: at once, or in
// an upgrade when the old one has let go.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.do(ctx, message{Op: opReady})
	return err
}

// StopRequested is closed when the agent was asked to stop, by a signal to hold. Serve decides what that
// means, and says [Client.Bye] in the end.
func (c *Client) StopRequested() <-chan struct{} { return c.stop }

// Done is closed when there is no hold any more and none will be started: after Bye, after Close, and
// when hold died under a serve that does not supervise.
func (c *Client) Done() <-chan struct{} { return c.done }

// Upgrade has another executable (an absolute path) started beside this serve and returns nil once its
// serve is ready to take over: then stop supervising and accepting, and call [Client.Release]. After an
// error nothing has changed.
func (c *Client) Upgrade(ctx context.Context, executable string) error {
	if !filepath.IsAbs(executable) {
		return fmt.Errorf("upgrade agent: %q is not an absolute path", executable)
	}
	_, err := c.do(ctx, message{Op: opUpgrade, Executable: executable})
	if err != nil && ctx.Err() != nil {
		c.tell(message{Op: opKeep})
	}
	return err
}

// Release ends this serve's supervision and lets the next one begin. What remains is to finish the
// connections and to end.
func (c *Client) Release(ctx context.Context) error {
	_, err := c.do(ctx, message{Op: opRelease})
	return err
}

// Bye ends the agent: all sockets are closed, its files are removed, and hold ends once this process has.
func (c *Client) Bye(ctx context.Context) error {
	_, err := c.do(ctx, message{Op: opBye})
	return err
}

// Owns says whether the data directory is still the one that this agent has locked. It is not once its
// files were removed, or replaced by those of another agent.
func (c *Client) Owns() (bool, error) {
	ours, err := isAt(c.lock, lockPath(c.options.DataDir))
	if err != nil {
		return false, fmt.Errorf("look at agent lock: %w", err)
	}
	return ours, nil
}

// Close ends the connection. It is the last thing that a serve does before it ends: without the
// connection it is as good as dead to hold, which starts another one unless there was a Bye or Release.
func (c *Client) Close() {
	c.closed.Do(func() {
		close(c.closing)
		c.mu.Lock()
		c.link.close()
		c.mu.Unlock()
	})
	<-c.done
}

// do asks hold and waits for the reply.
func (c *Client) do(ctx context.Context, m message) (descriptor int, err error) {
	asked := &call{message: m, answer: make(chan answer, 1)}
	l, id, err := c.register(asked)
	if err != nil {
		return -1, fmt.Errorf("ask hold to %s: %w", m.Op, err)
	}
	m.ID = id
	_ = l.send(m) // if hold is dead, its successor is asked
	select {
	case a := <-asked.answer:
		if a.err != nil {
			return -1, fmt.Errorf("ask hold to %s: %w", m.Op, a.err)
		}
		return a.descriptor, nil
	case <-ctx.Done():
		c.forget(id, asked)
		return -1, fmt.Errorf("ask hold to %s: %w", m.Op, context.Cause(ctx))
	}
}

// tell asks hold and does not wait for the reply.
func (c *Client) tell(m message) {
	asked := &call{message: m, answer: make(chan answer, 1)}
	if l, id, err := c.register(asked); err == nil {
		m.ID = id
		_ = l.send(m)
	}
}

func (c *Client) register(asked *call) (*link, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, 0, ErrHoldGone
	}
	c.lastID++
	asked.message.ID = c.lastID
	c.pending[c.lastID] = asked
	return c.link, c.lastID, nil
}

// forget gives up waiting. An answer that is just coming is thrown away.
func (c *Client) forget(id uint64, asked *call) {
	c.mu.Lock()
	if _, unanswered := c.pending[id]; unanswered {
		closeSockets(asked.sockets)
		delete(c.pending, id)
	}
	c.mu.Unlock()
	select {
	case a := <-asked.answer:
		if a.descriptor >= 0 {
			_ = unix.Close(a.descriptor)
		}
	default:
	}
}
