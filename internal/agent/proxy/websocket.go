package proxy

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
)

// Parts of a WebSocket frame's head (RFC 6455, section 5.2).
const (
	opcodeBits    = 0x0f
	opcodeClose   = 0x08
	finalBit      = 0x80
	maskedBit     = 0x80
	lengthBits    = 0x7f
	twoByteSize   = 126
	eightByteSize = 127
	longestHead   = 14
	goingAway     = 1001 // section 7.4.1
)

// frames follows the frames in one direction of a WebSocket, whatever pieces they come in.
type frames struct {
	head   [longestHead]byte // of the current frame
	have   int               // so many bytes of it are known; 0 once it is complete
	left   uint64            // bytes of the payload that are still to come
	closed bool              // a close frame has begun
}

// between reports whether one frame has ended and none has begun.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 }

// follow takes bytes up to the end of the current frame and returns how many those were.
func (f *frames) follow(b []byte) (n int) {
	for f.left == 0 {
		if n == len(b) {
			return n
		}
		f.head[f.have] = b[n]
		f.have++
		n++
		if !f.readHead() {
			continue
		}
		if f.left == 0 {
			return n
		}
	}
	part := min(f.left, uint64(len(b)-n))
	f.left -= part
	return n + int(part)
}

// readHead reports whether the head is complete, and then goes on to the payload.
func (f *frames) readHead() bool {
	if f.have < 2 {
		return false
	}
	need, size := 2, uint64(f.head[1]&lengthBits)
	switch size {
	case twoByteSize:
		need += 2
		size = uint64(binary.BigEndian.Uint16(f.head[2:]))
	case eightByteSize:
		need += 8
		size = binary.BigEndian.Uint64(f.head[2:])
	}
	if f.head[1]&maskedBit != 0 {
		need += 4
	}
	if f.have < need {
		return false
	}
	f.closed = f.closed || f.head[0]&opcodeBits == opcodeClose
	f.have, f.left = 0, size
	return true
}

// lane is one direction of a WebSocket, which can be ended between two frames.
type lane struct {
	mu       sync.Mutex
	to       io.Writer
	frames   frames
	farewell []byte
	ending   bool // the farewell is to follow the current frame
	ended    bool // it has been said; what comes yet goes nowhere
}

func newLane(to io.Writer, farewell func() []byte) *lane { return &lane{to: to, farewell: farewell()} }

// pass writes a piece and reports whether nothing more is to come: the lane was ended, and
// its sender has closed.
func (l *lane) pass(piece []byte) (over bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := 0 // what precedes the farewell
	for said < len(piece) && !l.ended && (!l.ending || said == 0 || !l.frames.between()) {
		said += l.frames.follow(piece[said:])
	}
	if said > 0 {
		if _, err := l.to.Write(piece[:said]); err != nil {
			return false, err
		}
		if err := l.sayFarewell(); err != nil {
			return false, err
		}
	}
	for said < len(piece) {
		said += l.frames.follow(piece[said:])
	}
	return l.ended && l.frames.closed && l.frames.between(), nil
}

// end says farewell, behind the frame that is on its way.
func (l *lane) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
	return l.sayFarewell()
}

// sayFarewell does so when it is time, unless the sender has closed by itself.
func (l *lane) sayFarewell() error {
	if !l.ending || l.ended || !l.frames.between() {
		return nil
	}
	l.ended = true
	if l.frames.closed {
		return nil
	}
	_, err := l.to.Write(l.farewell)
	return err
}

// fromServer is the close frame that a client gets.
func fromServer() []byte {
	return binary.BigEndian.AppendUint16([]byte{finalBit | opcodeClose, 2}, goingAway)
}

// fromClient is the close frame that an instance gets, masked as all that clients say.
func fromClient() []byte {
	frame := binary.BigEndian.AppendUint32([]byte{finalBit | opcodeClose, maskedBit | 2}, rand.Uint32())
	mask := binary.BigEndian.Uint16(frame[2:])
	return binary.BigEndian.AppendUint16(frame, goingAway^mask)
}
