package proxy

import (
	"context"
	"fmt"
)

// AwaitInstance returns when an instance that [Proxy.SetInstances] has taken out of rotation has
// answered all of its ordinary requests, or with the context's error. Event streams and
// WebSockets are not waited for. Who is unknown has nothing left to answer.
func (p *Proxy) AwaitInstance(ctx context.Context, stackID, component, instanceID string) error {
	for _, i := range p.leavers(stackID, component, instanceID) {
		if err := i.requests.wait(ctx); err != nil {
			return fmt.Errorf("wait for the requests of instance %q of stack %q: %w", instanceID, stackID, err)
		}
	}
	return nil
}

// leavers are the instances of a name that are out of rotation: one for each address it had.
func (p *Proxy) leavers(stackID, component, instanceID string) []*instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stacks[stackID]
	if s == nil || s.components[component] == nil {
		return nil
	}
	var out []*instance
	for _, i := range s.components[component].left {
		if i.ID == instanceID {
			out = append(out, i)
		}
	}
	return out
}
