package proxy

// Idle returns the number of idle connections to the instances of a stack.
func (p *Proxy) Idle(stackID string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := 0
	for _, c := range p.stacks[stackID].components {
		for _, i := range c.list() {
			i.pool.mu.Lock()
			idle += len(i.pool.idle)
			i.pool.mu.Unlock()
		}
	}
	return idle
}
