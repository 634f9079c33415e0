package bench

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	clients  = 50
	patience = 20 * time.Second // for what must happen, on a busy machine
)

// answer is what a request got.
type answer struct {
	ended   time.Time
	took    time.Duration
	release string
	failed  bool // no answer, an incomplete one, or another status than 200
}

// client sends one request after the other over a connection that it keeps as long as the
// server does. It costs as little as possible, for it shares the machine, and it never repeats a
// request, so that each one that fails is seen.
type client struct {
	address string
	conn    *tls.Conn
	reader  *bufio.Reader
}

func clientTLS() *tls.Config {
	// The certificate is not what is measured here.
	return &tls.Config{InsecureSkipVerify: true, ServerName: domain, NextProtos: []string{"http/1.1"}}
}

func (c *client) connect() (err error) {
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: clientTLS()}
	conn, err := dialer.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	c.conn, c.reader = conn.(*tls.Conn), bufio.NewReader(conn)
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// request sends a request; connecting is not part of what it took.
func (c *client) request() answer {
	if c.conn == nil {
		if err := c.connect(); err != nil {
			return answer{ended: time.Now(), failed: true}
		}
	}
	began := time.Now()
	release, stays, err := c.exchange(began)
	if err != nil || !stays {
		c.close()
	}
	ended := time.Now()
	return answer{ended, ended.Sub(began), release, err != nil || release == ""}
}

const get = "GET /orders?limit=30 HTTP/1.1\r\nHost: " + domain + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"

// exchange returns the release that answered, "" for none.
func (c *client) exchange(now time.Time) (release string, stays bool, err error) {
	if err := c.conn.SetDeadline(now.Add(patience)); err != nil {
		return "", false, err
	}
	if _, err := io.WriteString(c.conn, get); err != nil {
		return "", false, err
	}
	status, err := c.reader.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return "", false, err
	}
	length, stays := 0, true
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return "", false, err
		}
		name, value, more := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch {
		case !more:
			_, err = c.reader.Discard(length)
			return release, stays, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", false, err
			}
		case bytes.EqualFold(name, []byte("Connection")):
			stays = !bytes.EqualFold(value, []byte("close"))
		case bytes.EqualFold(name, []byte("Release")):
			release = "green"
			if value[0] == 'b' {
				release = "blue"
			}
		}
	}
}

// load is 50 clients that ask without a pause.
type load struct {
	mu       [clients]sync.Mutex
	answers  [clients][]answer
	stopping atomic.Bool
	clients  sync.WaitGroup
}

func startLoad(b *testing.B, address string) *load {
	b.Helper()
	l := &load{}
	for i := range clients {
		c := &client{address: address}
		must(b, c.connect())
		l.clients.Go(func() {
			defer c.close()
			for !l.stopping.Load() {
				a := c.request()
				l.mu[i].Lock()
				l.answers[i] = append(l.answers[i], a)
				l.mu[i].Unlock()
			}
		})
	}
	return l
}

func (l *load) stop() {
	l.stopping.Store(true)
	l.clients.Wait()
}

// take returns the answers since it was last called, in no order.
func (l *load) take() answers {
	var all answers
	for i := range clients {
		l.mu[i].Lock()
		all = append(all, l.answers[i]...)
		l.answers[i] = l.answers[i][:0]
		l.mu[i].Unlock()
	}
	return all
}

// during lets some time pass and returns its answers, and how long it really was.
func (l *load) during(d time.Duration) (answers, time.Duration) {
	began := time.Now()
	<-time.After(d)
	return l.take(), time.Since(began)
}

type answers []answer

func (all answers) failed() (n int) {
	for _, a := range all {
		if a.failed {
			n++
		}
	}
	return n
}

// quantile returns how long that share of the answers took at most; 1 for the slowest.
func (all answers) quantile(q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	took := make([]time.Duration, len(all))
	for i, a := range all {
		took[i] = a.took
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// last returns when the release last answered.
func (all answers) last(release string) (at time.Time) {
	for _, a := range all {
		if a.release == release && a.ended.After(at) {
			at = a.ended
		}
	}
	return at
}
