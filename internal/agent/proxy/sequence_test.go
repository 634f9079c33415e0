package proxy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Whatever part of the requests somebody looks at, the canary's share of them is right: in
// each window, and for a client whose requests come in a rhythm.
func TestASequenceHoldsItsShareInEveryWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(1, 99).Draw(t, "percent")
		s := &sequence{start: rapid.Uint64().Draw(t, "start")}
		s.dealt.Store(rapid.Uint64Range(0, 1<<40).Draw(t, "requests before"))
		window := rapid.IntRange(1, 10_000).Draw(t, "window")
		got := 0
		for range window {
			if s.next().below(percent) {
				got++
			}
		}
		// The discrepancy of the golden ratio's sequence grows like the logarithm.
		if want := float64(percent) / 100 * float64(window); math.Abs(float64(got)-want) > 1+math.Log(float64(window))/2 {
			t.Fatalf("%d of %d requests at %d percent", got, window, percent)
		}
	})
}

func TestARhythmOfRequestsDoesNotBendTheShare(t *testing.T) {
	t.Parallel()
	const requests = 10_000
	for _, rhythm := range []int{2, 3, 5, 7, 10, 21, 89, 100} {
		for _, percent := range []int{1, 10, 50} {
			s, got := &sequence{start: uint64(rhythm) << 50}, 0
			for n := range requests * rhythm {
				if s.next().below(percent) && n%rhythm == 0 {
					got++
				}
			}
			if share := float64(got) / requests * 100; math.Abs(share-float64(percent)) > 1 {
				t.Errorf("every %dth request: %.2f percent instead of %d", rhythm, share, percent)
			}
		}
	}
}
