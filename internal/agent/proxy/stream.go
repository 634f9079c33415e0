package proxy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// closeGrace is how long the ends of a stream may take to say goodbye.
const closeGrace = 2 * time.Second

// streams are the event streams and WebSockets of a stack. They have no natural end, so no
// switch waits for them.
type streams struct {
	mu       sync.Mutex
	open     map[*stream]struct{}
	ended    bool        // for good: those that come yet are ended at once
	deadline *time.Timer // nil for none
}

// stream is one of them.
type stream struct {
	end   func()        // begins its end, without waiting for anybody
	ended atomic.Bool   // by us, not by one of its ends
	gone  chan struct{} // closed when it is no more
}

// add adds a stream. Its end is called once at most, and never after it has been removed.
func (s *streams) add(end func()) *stream {
	made := &stream{end: end, gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*stream]struct{}{}
	}
	s.open[made] = struct{}{}
	if s.ended {
		made.close()
	}
	return made
}

func (s *streams) remove(gone *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, gone)
	close(gone.gone)
}

func (s *streams) count() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.open))
}

// close begins the end of all streams and returns them.
func (s *streams) close(forGood bool) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = s.ended || forGood
	s.stopTimer()
	var closing []*stream
	for open := range s.open {
		open.close()
		closing = append(closing, open)
	}
	return closing
}

// closeIn lets close run after a time.
func (s *streams) closeIn(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimer()
	s.deadline = time.AfterFunc(d, func() { s.close(false) })
}

// keep forgets a deadline.
func (s *streams) keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimer()
}

// stopTimer needs the lock.
func (s *streams) stopTimer() {
	if s.deadline != nil {
		s.deadline.Stop()
		s.deadline = nil
	}
}

// close needs the lock of its streams.
func (s *stream) close() {
	if !s.ended.Swap(true) {
		s.end()
	}
}

// waitGone returns nil once all of some streams are gone, or the context's error.
func waitGone(ctx context.Context, closing []*stream) error {
	for _, s := range closing {
		select {
		case <-s.gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// CloseStreams ends the open streams of a stack, for when it is retired, and returns when
// they are gone, which takes two seconds at most. Event streams end as if the instance had
// completed them. Both sides of a WebSocket get a close frame, 1001 (going away), behind what
// was being said; their connections are closed when they have answered it.
func (p *Proxy) CloseStreams(ctx context.Context, stackID string) error {
	s, err := p.known(stackID)
	if err == nil {
		err = waitGone(ctx, s.streams.close(false))
	}
	if err != nil {
		return fmt.Errorf("close streams of stack %q: %w", stackID, err)
	}
	return nil
}

// CloseStreamsAt does what CloseStreams does, at a moment; a former moment is forgotten. The
// zero time lets the streams live, and so does SetTraffic when the stack gets a share.
func (p *Proxy) CloseStreamsAt(stackID string, at time.Time) error {
	s, err := p.known(stackID)
	switch {
	case err != nil:
		return fmt.Errorf("limit streams of stack %q: %w", stackID, err)
	case at.IsZero():
		s.streams.keep()
	default:
		s.streams.closeIn(time.Until(at))
	}
	return nil
}

func (p *Proxy) known(stackID string) (*stack, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil {
		return nil, ErrUnknownStack
	}
	return s, nil
}
