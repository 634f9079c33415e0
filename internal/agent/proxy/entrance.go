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
	multiple *http.Server  // serves nobody: shutting it down shuts down the server's HTTP/2 connections
	done     chan struct{} // closed when it accepts no more, and all it accepted is counted
}

// Serve answers the clients of a listener, HTTP/2 and HTTP/1.1 over TLS, until Drain or
// Close, and then returns nil. It owns the listener.
func (p *Proxy) Serve(e Entrance, l net.Listener, t *tls.Config) error {
	t = t.Clone()
	t.DynamicRecordSizingDisabled = true // small first records only pay off on slow networks
	f := &front{listener: l, done: make(chan struct{}), multiple: &http.Server{IdleTimeout: idleLimit, ReadHeaderTimeout: readHeaderLimit}, server: &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handle(e, w, r) }),
		TLSConfig:         t,
		ReadHeaderTimeout: readHeaderLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         p.countConnection,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // clients' mistakes
	}}
	if err := errors.Join(f.serveHTTP2(), p.addFront(f)); err != nil {
		return errors.Join(fmt.Errorf("serve the %s entrance: %w", e, err), l.Close())
	}
	defer close(f.done)
	err := f.server.ServeTLS(l, "", "")
	if p.leaving.Load() {
		return nil
	}
	return fmt.Errorf("serve the %s entrance: %w", e, err)
}

// serveHTTP2 lets HTTP/2 connections be told to leave (GOAWAY) while those of HTTP/1.1 are left
// alone: an idle one cannot be told, and closing it might cost a request that is on its way.
func (f *front) serveHTTP2() error {
	// Serve prepares for HTTP/2 before it finds that there is nothing to accept.
	if err := f.multiple.Serve(nobody{}); !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("prepare for HTTP/2: %w", err)
	}
	serve := f.multiple.TLSNextProto["h2"]
	if serve == nil {
		return errors.New("prepare for HTTP/2: net/http does not know it")
	}
	f.server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": serve}
	return nil
}

// nobody is a listener to which nobody comes.
type nobody struct{}

func (nobody) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nobody) Close() error              { return nil }
func (nobody) Addr() net.Addr            { return &net.TCPAddr{} }

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

// Drain lets the clients leave, for the time that another process begins to serve the same
// sockets: it closes its listeners, tells HTTP/2 connections to leave (GOAWAY) and answers
// what still comes by HTTP/1.1 with "Connection: close". It returns nil when all connections
// have left. When ctx ends before, it closes what is left (streams and idle connections,
// mostly) and returns an error that says how much that was.
func (p *Proxy) Drain(ctx context.Context) error {
	err := p.stopListening()
	p.mu.Lock()
	fronts := p.fronts
	p.mu.Unlock()
	for _, f := range fronts {
		err = errors.Join(err, f.multiple.Shutdown(context.WithoutCancel(ctx))) // has nothing to wait for
	}
	for _, c := range []*crowd{&p.connections, &p.spliced} {
		if left := c.wait(ctx); left != nil {
			err = errors.Join(err, fmt.Errorf("drain: cut off %d connections and %d WebSockets: %w",
				p.connections.inside.Load(), p.spliced.inside.Load(), left))
			break
		}
	}
	return errors.Join(err, p.Close())
}

// Close ends all connections, streams as CloseStreams does and then all others at once, and
// returns when no request is being worked on.
func (p *Proxy) Close() error {
	err := p.stopListening()
	p.mu.Lock()
	fronts := p.fronts
	p.fronts = nil
	var closing []*stream
	for _, s := range p.stacks {
		closing = append(closing, s.streams.close(true)...)
		s.setRotation(false)
	}
	p.mu.Unlock()
	grace, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	_ = waitGone(grace, closing) // who is slower is cut off
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
