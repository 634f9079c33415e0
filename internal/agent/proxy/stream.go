package proxy

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// streams are the event streams and WebSockets of a stack. They have no natural end, so no
// switch waits for them.
type streams struct {
	mu    sync.Mutex
	open  map[*stream]struct{}
	ended bool // for good: those that come yet are ended at once
}

// stream is one of them. It is ended by closing the connection to its instance.
type stream struct {
	conn  *conn
	ended atomic.Bool // by us, not by one of its ends
}

func (s *streams) add(c *conn) *stream {
	made := &stream{conn: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*stream]struct{}{}
	}
	s.open[made] = struct{}{}
	if s.ended {
		made.end()
	}
	return made
}

func (s *streams) remove(gone *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, gone)
}

func (s *streams) count() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.open))
}

func (s *streams) end(forGood bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = s.ended || forGood
	for open := range s.open {
		open.end()
	}
}

func (s *stream) end() {
	s.ended.Store(true)
	_ = s.conn.Close() // the only effect that matters is that its readers wake up
}

// CloseStreams ends the open event streams (as if the instance had completed them) and
// WebSockets (by closing the connection) of a stack, for when it is retired.
func (p *Proxy) CloseStreams(stackID string) error {
	p.mu.Lock()
	s := p.stacks[stackID]
	p.mu.Unlock()
	if s == nil {
		return fmt.Errorf("close streams of stack %q: %w", stackID, ErrUnknownStack)
	}
	s.streams.end(false)
	return nil
}
