//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestAccLocalWebSocketsLiveOnTheOldStack opens a hundred of them before a swap: they go on
// talking to the release that they began with, until that is removed, and are closed properly.
// An upload that is under way is completed while the swap waits for it.
func TestAccLocalWebSocketsLiveOnTheOldStack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.apply(m.base(nil) + slot("1", nil))
	const many = 100
	sockets := make([]*websocket.Conn, many)
	for n, client := range m.clients(many) {
		c, response, err := websocket.Dial(t.Context(), strings.Replace(m.url("", "/talk"), "https:", "wss:", 1), &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			t.Fatalf("socket %d: %v, %+v", n, err, response)
		}
		sockets[n] = c
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	talk := func(when string) {
		t.Helper()
		for n, c := range sockets {
			err := c.Write(t.Context(), websocket.MessageText, []byte("hello"))
			var said []byte
			if err == nil {
				_, said, err = c.Read(t.Context())
			}
			if err != nil || string(said) != "1 hello" {
				t.Fatalf("%s: socket %d got %q, %v", when, n, said, err)
			}
		}
	}
	talk("before the swap")
	complete := m.startUpload()
	swap := m.startApply(m.base(nil) + slot("2", nil))
	m.eventually(time.Minute, "release 2 serves", func() (string, bool) {
		obs := m.observe()
		return string(obs.Serving), obs.Stacks[obs.Serving].Spec.Definition.Release == "2"
	})
	complete("1")
	if o := swap.wait(); o.code != 0 {
		t.Fatalf("apply ended with %d:\n%s", o.code, o.out)
	}
	m.serves("2")
	talk("after the swap")

	codes := make([]websocket.StatusCode, many)
	got := map[websocket.StatusCode]int{}
	var all sync.WaitGroup
	for n, c := range sockets {
		all.Go(func() {
			_, _, err := c.Read(context.WithoutCancel(t.Context()))
			codes[n] = websocket.CloseStatus(err)
		})
	}
	m.apply(m.base(nil) + slot("3", nil)) // it takes the seat
	all.Wait()
	for _, code := range codes {
		got[code]++
	}
	if got[websocket.StatusGoingAway] != many {
		t.Errorf("the sockets were closed with %v, want all with %d", got, websocket.StatusGoingAway)
	}
	m.serves("3")
	m.destroy()
}

// startUpload begins an upload, and returns what completes it and ends the test unless a
// release has taken all of it.
func (m *machine) startUpload() (complete func(release string)) {
	m.Helper()
	const half = 1 << 20
	body, upload := io.Pipe()
	r, err := http.NewRequestWithContext(m.Context(), http.MethodPost, m.url("", "/upload"), body)
	m.ok(err)
	c, answers := m.client(), make(chan string, 1)
	go func() {
		response, err := c.Do(r)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		answers <- fmt.Sprintf("%d %s %v", response.StatusCode, text, err)
	}()
	_, err = upload.Write(make([]byte, half))
	m.ok(err)
	return func(release string) {
		m.Helper()
		_, err := upload.Write(make([]byte, half))
		m.ok(err)
		m.ok(upload.Close())
		if got, want := <-answers, fmt.Sprintf("200 %s took %d bytes <nil>", release, 2*half); got != want {
			m.Errorf("the upload got %q, want %q", got, want)
		}
	}
}

// upload takes whatever it is sent.
func upload(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s took %d bytes", os.Getenv("SLIPWAY_RELEASE"), n)
}

// talk says back what it hears, after the release.
func talk(release string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, heard, err := c.Read(r.Context())
			if err == nil {
				err = c.Write(r.Context(), kind, []byte(release+" "+string(heard)))
			}
			if err != nil {
				return
			}
		}
	}
}
