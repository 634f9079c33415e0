package proxy

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// drawFrame draws a frame of any shape.
func drawFrame(t *rapid.T, opcode byte) []byte {
	frame := []byte{finalBit | opcode, 0}
	payload := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
	switch n := len(payload); rapid.SampledFrom([]int{1, 2, 8}).Draw(t, "bytes of length") {
	case 1:
		payload = payload[:min(n, 125)]
		frame[1] = byte(len(payload))
	case 2:
		frame[1] = twoByteSize
		frame = binary.BigEndian.AppendUint16(frame, uint16(n))
	case 8:
		frame[1] = eightByteSize
		frame = binary.BigEndian.AppendUint64(frame, uint64(n))
	}
	if rapid.Bool().Draw(t, "masked") {
		frame[1] |= maskedBit
		frame = append(frame, 1, 2, 3, 4)
	}
	return append(frame, payload...)
}

// A lane is ended between two frames, whatever pieces they come in and whenever that is.
func TestALaneIsEndedBetweenTwoFrames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var said []byte
		ends := []int{0}
		closes := -1 // the end of the frame in which the sender closes
		for range rapid.IntRange(0, 6).Draw(t, "frames") {
			opcode := rapid.SampledFrom([]byte{0, 1, 2, opcodeClose, 9, 10}).Draw(t, "opcode")
			said = append(said, drawFrame(t, opcode)...)
			ends = append(ends, len(said))
			if opcode == opcodeClose && closes < 0 {
				closes = len(said)
			}
		}
		cut := rapid.IntRange(0, len(said)).Draw(t, "ended behind")
		var got bytes.Buffer
		l := newLane(&got, fromServer)
		over := false
		pass := func(b []byte) {
			for len(b) > 0 {
				n := rapid.IntRange(1, len(b)).Draw(t, "piece")
				var err error
				if over, err = l.pass(b[:n]); err != nil {
					t.Fatal(err)
				}
				b = b[n:]
			}
		}
		pass(said[:cut])
		if over || !bytes.Equal(got.Bytes(), said[:cut]) {
			t.Fatalf("before the end: %x of %x, over: %t", got.Bytes(), said[:cut], over)
		}
		if err := l.end(); err != nil {
			t.Fatal(err)
		}
		pass(said[cut:])
		last := 0
		for _, end := range ends {
			if last = end; end >= cut {
				break
			}
		}
		want := bytes.Clone(said[:last])
		if closes < 0 || closes > last {
			want = append(want, 0x88, 2, 0x03, 0xe9)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("got %x, want %x", got.Bytes(), want)
		}
		if cut < len(said) && over != (closes >= 0) {
			t.Fatalf("over: %t, and the sender closed at %d", over, closes)
		}
	})
}

func TestTheFarewellToAnInstanceIsMasked(t *testing.T) {
	t.Parallel()
	frame := fromClient()
	if len(frame) != 8 || frame[0] != 0x88 || frame[1] != 0x82 {
		t.Fatalf("% x", frame)
	}
	if code := int(frame[6]^frame[2])<<8 | int(frame[7]^frame[3]); code != 1001 {
		t.Errorf("code %d", code)
	}
}
