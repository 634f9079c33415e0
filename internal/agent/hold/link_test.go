//go:build linux || darwin

package hold

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLinkKeepsDescriptorsWithTheirMessages(t *testing.T) {
	t.Parallel()
	ours, file, err := newPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.close()
	descriptor := duplicate(t, file)
	_ = file.Close()
	theirs, err := newLink(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	const count = 200
	go func() {
		for i := range count {
			r, w, err := os.Pipe()
			if err != nil {
				t.Error(err)
				break
			}
			_, _ = w.Write([]byte{byte(i)})
			switch m := (message{ID: uint64(i), Op: strings.Repeat("long", i*10)}); i % 3 {
			case 0:
				err = ours.send(m, int(r.Fd()))
			case 1:
				err = ours.send(m)
			case 2:
				err = ours.send(m, int(r.Fd()), int(w.Fd()))
			}
			if err != nil {
				t.Error(err)
			}
			_, _ = r.Close(), w.Close()
		}
		ours.close()
	}()
	for i := range count {
		m, descriptors, err := theirs.receive()
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 0, 2}[i%3]; m.ID != uint64(i) || len(descriptors) != want {
			t.Fatalf("message %d: got %d with %d descriptors, want %d", i, m.ID, len(descriptors), want)
		}
		if len(descriptors) > 0 {
			text := make([]byte, 1)
			if _, err := unix.Read(descriptors[0], text); err != nil || text[0] != byte(i) {
				t.Errorf("message %d: its descriptor says %d, %v", i, text[0], err)
			}
		}
		closeAll(descriptors)
	}
	if _, _, err := theirs.receive(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	theirs.close()
}
