//go:build !windows

package platform

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
)

// usage is the CPU use of an instance over the last seconds.
type usage struct {
	looks   []usageLook
	percent float64
	known   bool
}

type usageLook struct {
	at   time.Time
	used time.Duration
}

// add adds a look and works out the use since the oldest one that counts. CPU time that
// seems to go back, because a child took its own with it, is no use.
func (u *usage) add(l usageLook) {
	u.looks = append(u.looks, l)
	for len(u.looks) > 2 && l.at.Sub(u.looks[1].at) >= loadSpan {
		u.looks = u.looks[1:]
	}
	if first := u.looks[0]; l.at.After(first.at) {
		u.percent = max(0, 100*(l.used-first.used).Seconds()/l.at.Sub(first.at).Seconds())
		u.known = true
	}
}

// measureCPU looks at the CPU time of all instances at once.
func (p *Platform) measureCPU(stacks []*stack) {
	of := map[process.Identity]*instance{}
	var ids []process.Identity
	for _, st := range stacks {
		for _, i := range st.all() {
			i.mu.Lock()
			proc := i.proc
			i.mu.Unlock()
			if proc != nil {
				of[proc.Identity()] = i
				ids = append(ids, proc.Identity())
			}
		}
	}
	if len(ids) == 0 {
		return
	}
	used, err := process.Usage(p.life, ids)
	if err != nil {
		p.log.Warn("the CPU use of instances is not known", "error", err)
		return
	}
	now := time.Now() // elapsed time: no clock that somebody sets
	for id, sum := range used {
		i := of[id]
		i.mu.Lock()
		if i.proc != nil && i.proc.Identity() == id {
			i.usage.add(usageLook{now, sum})
		}
		i.mu.Unlock()
	}
}

// cpu is the CPU use of a component's instances together. What is not healthy yet is busy
// with itself and does not count, nor what leaves.
func (st *stack) cpu(component string) float64 {
	sum := 0.0
	for _, i := range st.all() {
		if i.component != component {
			continue
		}
		i.mu.Lock()
		if i.healthy && !i.leaving && i.usage.known {
			sum += i.usage.percent
		}
		i.mu.Unlock()
	}
	return sum
}
