//go:build linux || darwin

package hold

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// run reads what hold says and replaces it when it dies.
func (c *Client) run(l *link) {
	defer close(c.done)
	for deaths := 0; ; {
		began := time.Now()
		c.read(l)
		l.close()
		if c.isClosing() {
			c.end() // hold lives: it was us who ended the link
			return
		}
		c.hold.bury()
		c.hold = nil
		if !c.orphaned() {
			c.end()
			return
		}
		if time.Since(began) >= healthy {
			deaths = 0
		}
		deaths++
		if l = c.replace(deaths); l == nil {
			c.end()
			return
		}
	}
}

// read handles messages until the link ends.
func (c *Client) read(l *link) {
	for {
		m, descriptors, err := l.receive()
		if err != nil {
			return
		}
		switch m.Op {
		case opReply:
			c.settle(m, descriptors)
		case opSocket:
			c.collect(m, descriptors)
		case opStop:
			closeAll(descriptors)
			c.asked.Do(func() { close(c.stop) })
		default:
			closeAll(descriptors)
		}
	}
}

// collect keeps a socket until the reply that says that it was the last.
func (c *Client) collect(m message, descriptors []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, found := c.pending[m.ID]
	if !found || m.Socket == nil || len(descriptors) != 1 {
		closeAll(descriptors)
		return
	}
	asked.sockets = append(asked.sockets, heldSocket{*m.Socket, descriptors[0]})
}

// settle ends a call. What the reply changes for us is changed here and not by the caller: hold may be
// dead already, and what is to be done then depends on it.
func (c *Client) settle(m message, descriptors []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, found := c.pending[m.ID]
	if !found {
		closeAll(descriptors)
		return
	}
	delete(c.pending, m.ID)
	reply := answer{descriptor: -1}
	if m.Problem != nil {
		closeAll(descriptors)
		reply.err = m.Problem
		asked.answer <- reply
		return
	}
	switch asked.message.Op {
	case opListen:
		reply = c.keep(*asked.message.Socket, descriptors)
	case opUnlisten:
		c.drop(asked.message.Socket.Key)
	case opList, opReady:
		for key := range c.sockets {
			c.drop(key)
		}
		for _, held := range asked.sockets {
			c.sockets[held.Key] = held
		}
		c.supervises = c.supervises || asked.message.Op == opReady
	case opRelease, opBye:
		c.supervises = false
	}
	asked.answer <- reply
}

// keep holds on to a socket and returns a copy for the caller.
func (c *Client) keep(socket socketSpec, descriptors []int) answer {
	if len(descriptors) != 1 {
		closeAll(descriptors)
		return answer{-1, fmt.Errorf("hold sent %d sockets for %q", len(descriptors), socket.Key)}
	}
	c.drop(socket.Key)
	c.sockets[socket.Key] = heldSocket{socket, descriptors[0]}
	copied, err := unix.FcntlInt(uintptr(descriptors[0]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return answer{-1, fmt.Errorf("duplicate socket %q: %w", socket.Key, err)}
	}
	return answer{copied, nil}
}

func (c *Client) drop(key string) {
	if held, found := c.sockets[key]; found {
		_ = unix.Close(held.Descriptor)
		delete(c.sockets, key)
	}
}

// orphaned says whether it is on us to start another hold.
func (c *Client) orphaned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.supervises
}

func (c *Client) isClosing() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}

// end tells everybody who waits that there is no hold any more.
func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for id, asked := range c.pending {
		asked.answer <- answer{-1, ErrHoldGone}
		delete(c.pending, id)
	}
	for key := range c.sockets {
		c.drop(key)
	}
}

// replace starts another hold, however often it takes, and asks it what is still unanswered. It returns
// nil when the client is closed.
func (c *Client) replace(deaths int) *link {
	wait := time.NewTimer(respawnAfter(deaths))
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
		case <-c.closing:
			return nil
		}
		l, process, err := c.startHold()
		if err == nil {
			c.options.Log.Warn("hold died and was replaced", "pid", process.command.Process.Pid)
			c.hold = process
			c.repeat(l)
			return l
		}
		c.options.Log.Error("hold does not start", "error", err)
		deaths++
		wait.Reset(respawnAfter(deaths))
	}
}

// repeat makes the link the one in use and asks again, in order.
func (c *Client) repeat(l *link) {
	c.mu.Lock()
	c.link = l
	var again []message
	for id, asked := range c.pending {
		closeSockets(asked.sockets)
		asked.sockets = nil
		switch asked.message.Op {
		case opUpgrade, opKeep, opRelease:
			asked.answer <- answer{-1, errReplaced}
			delete(c.pending, id)
		default:
			again = append(again, asked.message)
		}
	}
	c.mu.Unlock()
	if c.isClosing() {
		l.close() // Close has seen the link before this one
	}
	slices.SortFunc(again, func(a, b message) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range again {
		_ = l.send(m) // if it is dead again, so is the link
	}
}

func closeSockets(sockets []heldSocket) {
	for _, held := range sockets {
		_ = unix.Close(held.Descriptor)
	}
}
