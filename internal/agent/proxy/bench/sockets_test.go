package bench

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const sockets = 100

// countSockets opens WebSockets to the release that serves, swaps, and counts who still gets
// an answer a second later.
func countSockets(b *testing.B, c contender) (alive int) {
	b.Helper()
	transport := &http.Transport{
		TLSClientConfig: clientTLS(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.address)
		},
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	var open []*websocket.Conn
	for range sockets {
		socket, _, err := websocket.Dial(ctx, "wss://"+domain+"/socket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
		must(b, err)
		defer socket.CloseNow()
		open = append(open, socket)
	}
	must(b, c.swap("green"))
	<-time.After(time.Second)
	for _, socket := range open {
		if err := socket.Write(ctx, websocket.MessageText, []byte("there?")); err != nil {
			continue
		}
		if _, said, err := socket.Read(ctx); err == nil && string(said) == "there?" {
			alive++
		}
	}
	must(b, c.swap("blue"))
	return alive
}
