package memtarget

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// SetTraffic divides the traffic of a slot in one write.
func (t *Target) SetTraffic(ctx context.Context, id target.SlotID, to target.Traffic, _ time.Duration, l target.Lease) (target.Switched, error) {
	return call(ctx, t, changes, "SetTraffic", func(s *store) (target.Switched, error) {
		held, err := s.leased(id, l)
		if err != nil {
			return target.Switched{}, err
		}
		return s.setTraffic(id, held, to)
	})
}

func (s *store) setTraffic(id target.SlotID, l *slot, to target.Traffic) (target.Switched, error) {
	out := target.Switched{}
	switch {
	case to.Color != target.Blue && to.Color != target.Green:
		return out, target.Errorf(target.ErrInvalid, "%q is not a seat: expected %q or %q", to.Color, target.Blue, target.Green)
	case to.Percent < 0 || to.Percent > 99:
		return out, target.Errorf(target.ErrInvalid, "%d is not a share of the traffic: expected 0 to 99 percent", to.Percent)
	}
	if l.traffic == to {
		return out, nil
	}
	for _, c := range []target.Color{target.Blue, target.Green} {
		if part(to, c) > part(l.traffic, c) {
			if err := l.ready(id, c); err != nil {
				return out, err
			}
		}
	}
	out.At = s.now()
	for c, st := range l.stacks {
		if l.carries(c) && part(to, c) == 0 {
			if c == l.traffic.Color {
				l.before = st.spec.Definition.Release
			}
			if st.inFlight == 0 {
				st.answered = &out.At
			}
		}
		if part(to, c) > 0 {
			st.retireAt = nil
		}
	}
	kind := Shared
	if to.Percent == 0 && to.Color != l.traffic.Color {
		kind = Served
	}
	l.traffic = to
	l.shares = append(l.shares, share{out.At, l.carriers()})
	s.recordTraffic(kind, id, to, l.stacks[to.Color].spec.Definition.Release)
	return out, nil
}

// part is the percentage of the traffic that a seat has.
func part(t target.Traffic, c target.Color) int {
	switch {
	case c == "" || t.Color == "":
		return 0
	case c == t.Color:
		return 100 - t.Percent
	}
	return t.Percent
}

func (l *slot) carries(c target.Color) bool { return part(l.traffic, c) > 0 }

// ready refuses a seat that can't take traffic.
func (l *slot) ready(id target.SlotID, c target.Color) error {
	st, ok := l.stacks[c]
	if !ok {
		return target.Errorf(target.ErrConflict, "the %s seat of slot %q is empty", c, id)
	}
	if name := st.unhealthy(); name != "" {
		return target.Errorf(target.ErrConflict, "component %q of release %q in the %s seat of slot %q has no healthy instance", name, st.spec.Definition.Release, c, id)
	}
	return nil
}

// next is the seat that the next request for a host goes to. Of any hundred requests in a
// row just the share goes to the other seat; those for one host stay together where the
// traffic is divided by account.
func (l *slot) next(host string) target.Color {
	l.turn++
	n, t := l.turn, l.traffic
	if t.StickyBy == target.StickyByAccount {
		h := fnv.New32a()
		_, _ = h.Write([]byte(host))
		n = int(h.Sum32())
	}
	const stride = 37 // has no factor in common with 100
	if n*stride%100 < t.Percent {
		return t.Color.Other()
	}
	return t.Color
}
