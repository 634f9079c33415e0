package proxy

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
)

// split says on which side of a slot's traffic a request is.
type split struct {
	Traffic
	clients  *sequence            // of the positions that are given to clients
	requests map[string]*sequence // by component; Proxy.mu guards the map
}

func newSplit(t Traffic) *split {
	return &split{Traffic: t, clients: newSequence(), requests: map[string]*sequence{}}
}

// sequence returns that of a component. Proxy.mu is held.
func (s *split) sequence(component string) *sequence {
	if s.requests[component] == nil {
		s.requests[component] = newSequence()
	}
	return s.requests[component]
}

// side reports whether a request is the canary's, and where its client is to stand from now
// on, nil if it does not matter or is known.
func (s *split) side(r *http.Request, n name, requests *sequence) (canary bool, at *position) {
	switch s.StickyBy {
	case StickyByAccount:
		return s.positionOf(n.host).below(s.Percent), nil
	case StickyByClient:
		if at, ok := readSideCookie(r); ok {
			return at.below(s.Percent), nil
		}
		drawn := s.clients.next()
		return drawn.below(s.Percent), &drawn
	}
	return requests.next().below(s.Percent), nil
}

// positions is how many there are; the canary has the lowest of them, Percent of all.
const positions = 1_000_000

// position is where somebody or something stands: from 0 to positions, and always there.
type position uint64

func (at position) below(percent int) bool { return at < position(percent)*(positions/100) }

// scale makes a position of a number from the whole range.
func scale(number uint64) position {
	high, _ := bits.Mul64(number, positions)
	return position(high)
}

// positionOf is the same for a key in each process, and another one for each canary: it is
// not always the same ones that are the first to try what is new.
func (s *split) positionOf(key string) position {
	sum := sha256.Sum256([]byte(s.Canary + "\x00" + key))
	return scale(binary.BigEndian.Uint64(sum[:]))
}

// weyl makes of consecutive numbers, by multiplication, ones that lie spread over the whole
// range however many they are: the golden ratio of 2^64 (the additive recurrence of Weyl).
const weyl = 0x9E3779B97F4A7C15

// sequence deals out positions so that any number of consecutive ones is spread evenly, and
// so is each second, third … of them: requests may come in a rhythm of their own.
type sequence struct {
	start uint64
	dealt atomic.Uint64
}

func newSequence() *sequence { return &sequence{start: rand.Uint64()} }

// next returns the next position.
func (s *sequence) next() position { return scale(s.start + s.dealt.Add(1)*weyl) }
