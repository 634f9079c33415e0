package proxy

import (
	"math"
	"net/http"
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
			if s.next(positions).below(percent) {
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
				if s.next(positions).below(percent) && n%rhythm == 0 {
					got++
				}
			}
			if share := float64(got) / requests * 100; math.Abs(share-float64(percent)) > 1 {
				t.Errorf("every %dth request: %.2f percent instead of %d", rhythm, share, percent)
			}
		}
	}
}

func TestAPositionDrawnOnASideIsOnThatSide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newSplit(Traffic{Percent: rapid.IntRange(1, 99).Draw(t, "percent")})
		for side := range s.clients {
			s.clients[side].start = rapid.Uint64().Draw(t, "start")
		}
		canary := rapid.Bool().Draw(t, "canary")
		for range 100 {
			if at := s.draw(canary); at.below(s.Percent) != canary || at >= positions {
				t.Fatalf("position %d at %d percent", at, s.Percent)
			}
		}
	})
}

// A client without cookies goes by its address, but where that says nothing.
func TestANewcomerStandsWhereItsAddressSays(t *testing.T) {
	t.Parallel()
	s := newSplit(Traffic{Canary: "green", Percent: 50})
	at := func(address string, connection uint64) position {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = address
		return s.newcomer(numbered(r, connection))
	}
	if at("192.0.2.1:1000", 1) != at("192.0.2.1:2000", 2) || at("[2001:db8::1]:1", 1) != at("[2001:db8::1]:2", 2) {
		t.Error("another connection, another position")
	}
	if at("192.0.2.1:1000", 1) == at("192.0.2.2:1000", 1) {
		t.Error("another address, the same position")
	}
	for _, loopback := range []string{"127.0.0.1:1000", "[::1]:1000", "[::ffff:127.0.0.1]:1000"} {
		if at(loopback, 1) == at(loopback, 2) {
			t.Errorf("two clients at %s have the same position", loopback)
		}
	}
	low := 0
	for n := range 1000 {
		if at("127.0.0.1:1000", uint64(n)).below(10) {
			low++
		}
	}
	if low < 98 || low > 102 {
		t.Errorf("%d of 1000 connections are in the lowest tenth", low)
	}
}
