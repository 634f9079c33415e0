package awstest

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// serveProxy leads CONNECT requests into the account, as a proxy between a company and AWS does:
// whoever has only names of load balancers reaches them through it.
func (a *Account) serveProxy(w http.ResponseWriter, r *http.Request) { connect(w, r, a.Dial) }

// connect opens what a CONNECT request asks for.
func connect(w http.ResponseWriter, r *http.Request, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy opens connections only", http.StatusMethodNotAllowed)
		return
	}
	door, err := dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer door.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{door, client}, {client, door}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].(*net.TCPConn).CloseWrite()
		})
	}
	both.Wait()
}
