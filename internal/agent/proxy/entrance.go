package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	readHeaderLimit = 10 * time.Second // for the TLS handshake, and for a request's head
	idleLimit       = 2 * time.Minute  // for a client's connection between requests
	maxHeaderBytes  = 64 << 10
)

// front is a listener with the server that answers on it.
type front struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{} // closed when it accepts no more, and all it accepted is counted
}

// Serve answers the clients of a listener, HTTP/2 and HTTP/1.1 over TLS, until Drain or
// Close, and then returns nil. It owns the listener.
func (p *Proxy) Serve(e Entrance, l net.Listener, t *tls.Config) error {
	t = t.Clone()
	t.DynamicRecordSizingDisabled = true // small first records only pay off on slow networks
	f := &front{listener: l, done: make(chan struct{}), server: &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handle(e, w, r) }),
		TLSConfig:         t,
		ReadHeaderTimeout: readHeaderLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         p.countConnection,
		ConnContext:       p.numberConnection,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // clients' mistakes
	}}
	if err := p.addFront(f); err != nil {
		return errors.Join(fmt.Errorf("serve the %s entrance: %w", e, err), l.Close())
	}
	defer close(f.done)
	err := f.server.ServeTLS(l, "", "")
	if p.leaving.Load() {
		return nil
	}
	return fmt.Errorf("serve the %s entrance: %w", e, err)
}

func (p *Proxy) addFront(f *front) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving.Load() {
		return ErrClosed
	}
	p.fronts = append(p.fronts, f)
	return nil
}

func (p *Proxy) countConnection(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		p.connections.enter()
	case http.StateClosed, http.StateHijacked:
		p.connections.leave()
	}
}

func (p *Proxy) numberConnection(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionNumber{}, p.arrivals.Add(1))
}

// Drain lets the clients leave, for the time that another process begins to serve the same
// sockets: it closes its listeners, answers what still comes with "Connection: close"
// (GOAWAY in HTTP/2) and returns nil when all connections have left. When ctx ends before,
// it ends what is left (streams and idle connections, mostly) and returns an error that
// says how much that was.
func (p *Proxy) Drain(ctx context.Context) error {
	err := p.stopListening()
	for _, c := range []*crowd{&p.connections, &p.spliced} {
		if left := c.wait(ctx); left != nil {
			err = errors.Join(err, fmt.Errorf("drain: cut off %d connections and %d WebSockets: %w",
				p.connections.inside.Load(), p.spliced.inside.Load(), left))
			break
		}
	}
	return errors.Join(err, p.Close())
}

// Close ends all connections at once and returns when no request is being worked on.
func (p *Proxy) Close() error {
	err := p.stopListening()
	p.mu.Lock()
	fronts := p.fronts
	p.fronts = nil
	for _, s := range p.stacks {
		s.streams.end(true)
		s.setRotation(false)
	}
	p.mu.Unlock()
	for _, f := range fronts {
		err = errors.Join(err, f.server.Close())
	}
	// Their connections are closed, so all requests end by themselves.
	return errors.Join(err, p.connections.wait(context.Background()), p.spliced.wait(context.Background()))
}

// stopListening closes the proxy's own descriptors of the listening sockets; other
// processes' descriptors of the same sockets go on accepting.
func (p *Proxy) stopListening() error {
	p.mu.Lock()
	p.leaving.Store(true)
	fronts := p.fronts
	p.mu.Unlock()
	var err error
	for _, f := range fronts {
		if closing := f.listener.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, fmt.Errorf("close listener: %w", closing))
		}
		<-f.done
	}
	return err
}
