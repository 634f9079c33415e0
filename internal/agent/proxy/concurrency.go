package proxy

// Concurrency returns how many ordinary requests the instances of a component that are in
// rotation are answering now, all of them together and over both entrances.
func (p *Proxy) Concurrency(stackID, component string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil || s.components[component] == nil {
		return 0
	}
	var sum int64
	for _, i := range s.components[component].list() {
		sum += i.requests.inside.Load()
	}
	return sum
}
