package proxy

// Idle returns the number of idle connections to the instances of a stack.
func (p *Proxy) Idle(stackID string) int {
	return p.countIdle(stackID, func(*conn) bool { return true })
}

// IdleAlive returns the number of those whose other side has not closed them.
func (p *Proxy) IdleAlive(stackID string) int {
	return p.countIdle(stackID, (*conn).alive)
}

func (p *Proxy) countIdle(stackID string, counts func(*conn) bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, c := range p.stacks[stackID].components {
		for _, i := range c.list() {
			i.pool.mu.Lock()
			for _, idle := range i.pool.idle {
				if counts(idle) {
					n++
				}
			}
			i.pool.mu.Unlock()
		}
	}
	return n
}

// StreamsLimited reports whether the streams of a stack have a deadline.
func (p *Proxy) StreamsLimited(stackID string) bool {
	s, err := p.known(stackID)
	if err != nil {
		return false
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return s.streams.deadline != nil
}

// CloseGrace is how long the ends of a stream have to say goodbye.
const CloseGrace = closeGrace
