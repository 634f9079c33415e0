package proxy_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// load is a number of clients that each keep a connection busy. Unlike net/http's client
// they never repeat a request, so that every one that fails is seen.
type load struct {
	answers  atomic.Int64
	failures atomic.Int64
	stopping atomic.Bool
	clients  sync.WaitGroup
}

// startLoad sends POST requests, which an application must see exactly once.
func startLoad(t *testing.T, address string, clients int) *load {
	t.Helper()
	l := &load{}
	for i := range clients {
		l.clients.Go(func() { l.run(t, address, i) })
	}
	t.Cleanup(func() { l.stop() })
	l.progress(t, int64(clients))
	return l
}

// stop ends the load between two requests.
func (l *load) stop() (answers, failures int64) {
	l.stopping.Store(true)
	l.clients.Wait()
	return l.answers.Load(), l.failures.Load()
}

// progress waits for n more answers.
func (l *load) progress(t *testing.T, n int64) {
	t.Helper()
	goal := l.answers.Load() + n
	eventually(t, "more answers", func() bool { return l.answers.Load() >= goal || l.failures.Load() > 0 })
}

func (l *load) run(t *testing.T, address string, id int) {
	var c *tls.Conn
	var reader *bufio.Reader
	for n := 0; !l.stopping.Load(); n++ {
		if c == nil {
			made, err := tls.Dial("tcp", address, clientTLS("http/1.1"))
			if err != nil {
				t.Errorf("connect: %v", err)
				l.failures.Add(1)
				return
			}
			c, reader = made, bufio.NewReader(made)
		}
		stays, err := l.request(c, reader, fmt.Sprintf("<%d.%d>", id, n))
		if err != nil {
			t.Errorf("client %d, request %d: %v", id, n, err)
			l.failures.Add(1)
			_ = c.Close()
			return
		}
		l.answers.Add(1)
		if !stays {
			_ = c.Close()
			c = nil
		}
	}
	if c != nil {
		_ = c.Close()
	}
}

func (l *load) request(c *tls.Conn, reader *bufio.Reader, body string) (stays bool, err error) {
	_, err = fmt.Fprintf(c, "POST /orders HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", domain, len(body), body)
	if err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	release := resp.Header.Get("Slipway-Release")
	if resp.StatusCode != http.StatusOK || string(got) != release+body || release == "" {
		return false, fmt.Errorf("%s of release %q: %q to %q", resp.Status, release, got, body)
	}
	return !resp.Close, nil
}
