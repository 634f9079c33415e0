//go:build linux

package acceptance

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// TestAccLocalWebSocketsLiveOnTheOldStack opens a hundred of them before a swap: they go on
// talking to the release that they began with, until that is removed, and are closed properly.
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
	m.apply(m.base(nil) + slot("2", nil))
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
