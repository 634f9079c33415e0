package process

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	t.Run("stays between its limits and grows on the whole", func(t *testing.T) {
		t.Parallel()
		var early, late time.Duration
		for seed := range uint64(200) {
			b := NewBackoff(seed)
			for n := range 20 {
				wait := b.Next(0)
				if wait < backoffMin || wait > backoffMax {
					t.Fatalf("seed %d: wait %d is %v", seed, n, wait)
				}
				if n == 0 {
					early += wait
				}
				if n == 19 {
					late += wait
				}
			}
			if first := NewBackoff(seed).Next(0); first > 3*backoffMin {
				t.Fatalf("seed %d: first wait is %v", seed, first)
			}
		}
		if late < 4*early {
			t.Errorf("200 first waits are %v, 200 twentieth ones %v", early, late)
		}
	})
	t.Run("differs by seed and only by seed", func(t *testing.T) {
		t.Parallel()
		one, same, other := NewBackoff(1).Next(0), NewBackoff(1).Next(0), NewBackoff(2).Next(0)
		if one != same || one == other {
			t.Errorf("got %v, %v and %v", one, same, other)
		}
	})
	t.Run("begins again after a minute of health", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(50) {
			b := NewBackoff(seed)
			for range 10 {
				b.Next(0)
			}
			if wait := b.Next(time.Minute); wait > 3*backoffMin {
				t.Fatalf("seed %d: got %v", seed, wait)
			}
		}
	})
}
