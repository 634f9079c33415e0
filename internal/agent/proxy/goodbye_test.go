package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

func TestBothEndsOfAWebSocketAreToldThatItGoesAway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(d *door) error
	}{
		{"its stack is retired", func(d *door) error { return d.CloseStreams(t.Context(), "blue") }},
		{"its stack is deleted", func(d *door) error { return d.DeleteStack(t.Context(), "blue") }},
		{"its deadline is there", func(d *door) error {
			return errors.Join(d.CloseStreamsAt("blue", time.Now().Add(time.Hour)), d.CloseStreamsAt("blue", time.Now()))
		}},
		{"the proxy is closed", func(d *door) error { return d.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			const sockets = 20
			heard := make(chan websocket.StatusCode, sockets)
			d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
				if err != nil {
					return
				}
				defer c.CloseNow()
				must(t, c.Write(r.Context(), websocket.MessageText, []byte("hello")))
				_, _, err = c.Read(r.Context())
				heard <- websocket.CloseStatus(err)
			}).Instance)
			d.serve(t, "blue")
			client := httpClient(t, d.production, "http/1.1")
			var open []*websocket.Conn
			for range sockets {
				c, _, err := websocket.Dial(t.Context(), "wss://"+domain+"/socket", &websocket.DialOptions{HTTPClient: client})
				must(t, err)
				defer c.CloseNow()
				if _, _, err := c.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
				open = append(open, c)
			}
			d.serve(t, "")
			if n := d.Stats("blue").Streams; n != sockets {
				t.Errorf("%d streams", n)
			}
			ended := make(chan error, 1)
			go func() { ended <- test.end(d) }()
			for _, c := range open {
				if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
					t.Errorf("a client read %v", err)
				}
				if code := receive(t, "an application's end", heard); code != websocket.StatusGoingAway {
					t.Errorf("an application read %v", code)
				}
			}
			if err := receive(t, "the end", ended); err != nil {
				t.Error(err)
			}
			eventually(t, "no streams", func() bool { return d.Stats("blue").Streams == 0 })
		})
	}
}

// Whoever does not answer, or does not even read, is cut off.
func TestStreamsEndEvenIfNobodyAnswers(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"a WebSocket":     "GET /socket HTTP/1.1\r\nHost: " + domain + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		"an event stream": "GET /stream HTTP/1.1\r\nHost: " + domain + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			var written atomic.Int64
			d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
				write := func() error {
					_, err := io.WriteString(w, pattern(10_000))
					return err
				}
				if r.URL.Path == "/socket" {
					c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
					if err != nil {
						return
					}
					defer c.CloseNow()
					write = func() error { return c.Write(r.Context(), websocket.MessageText, []byte(pattern(10_000))) }
				} else {
					w.Header().Set("Content-Type", "text/event-stream")
				}
				for write() == nil {
					written.Add(1)
				}
			}).Instance)
			d.serve(t, "blue")
			c, err := tls.Dial("tcp", d.production, clientTLS("http/1.1"))
			must(t, err)
			defer c.Close()
			_, err = io.WriteString(c, head)
			must(t, err)
			eventually(t, "the stream", func() bool { return d.Stats("blue").Streams == 1 })
			last, since := int64(0), time.Now()
			eventually(t, "the flood to be stuck", func() bool {
				if n := written.Load(); n != last {
					last, since = n, time.Now()
				}
				return last > 0 && time.Since(since) > 200*time.Millisecond
			})
			must(t, d.CloseStreams(t.Context(), "blue"))
			if s := d.Stats("blue"); s.Streams != 0 || s.ConnectionFailures != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The client's connection is not part of what ends.
func TestAnEventStreamThatIsEndedLeavesItsConnectionUsable(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", streamApp("text/event-stream", nil)).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
	d.serve(t, "blue")
	c, err := tls.Dial("tcp", d.production, clientTLS("http/1.1"))
	must(t, err)
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func() *http.Response {
		_, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", domain)
		must(t, err)
		resp, err := http.ReadResponse(r, nil)
		must(t, err)
		return resp
	}
	stream := ask()
	d.serve(t, "green")
	ended := time.Now()
	must(t, d.CloseStreams(t.Context(), "blue"))
	if rest, err := io.ReadAll(stream.Body); err != nil || len(rest) > 0 {
		t.Errorf("the end was %q, %v", rest, err)
	}
	// The client was given some time to read; when that is over it must not matter any more.
	eventually(t, "the time to pass", func() bool { return time.Since(ended) > proxy.CloseGrace+100*time.Millisecond })
	if body, err := io.ReadAll(ask().Body); err != nil || string(body) != "new" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestADeadlineOfStreamsIsForgottenWithTheReasonForIt(t *testing.T) {
	t.Parallel()
	d := &door{Proxy: proxy.New(domain, quiet())} // that nobody enters
	d.put(t, "blue", "1")
	d.put(t, "green", "2")
	limit := func() {
		t.Helper()
		must(t, d.CloseStreamsAt("blue", time.Now().Add(time.Hour)))
		if !d.StreamsLimited("blue") {
			t.Error("there is no deadline")
		}
	}
	limit()
	must(t, d.CloseStreamsAt("blue", time.Time{}))
	if d.StreamsLimited("blue") {
		t.Error("a deadline that was taken back")
	}
	d.serve(t, "green")
	limit()
	d.set(t, 0, proxy.StickyByNothing)
	if d.StreamsLimited("blue") {
		t.Error("the stack serves again, and its streams have a deadline")
	}
	for _, err := range []error{d.CloseStreamsAt("unheard", time.Now()), d.CloseStreams(t.Context(), "unheard")} {
		if !errors.Is(err, proxy.ErrUnknownStack) {
			t.Error(err)
		}
	}
}

// multiple is a client of HTTP/2 whose every frame is seen.
type multiple struct {
	*http2.Framer
	head *hpack.Encoder
	to   *strings.Builder
}

func dialHTTP2(t *testing.T, address string) *multiple {
	t.Helper()
	c, err := tls.Dial("tcp", address, clientTLS("h2"))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, http2.ClientPreface)
	must(t, err)
	m := &multiple{Framer: http2.NewFramer(c, c), to: &strings.Builder{}}
	m.head = hpack.NewEncoder(m.to)
	m.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	must(t, m.WriteSettings())
	return m
}

func (m *multiple) get(t *testing.T, stream uint32) {
	t.Helper()
	m.to.Reset()
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", domain}, {":path", "/"}} {
		must(t, m.head.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	must(t, m.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte(m.to.String()), EndStream: true, EndHeaders: true}))
}

// next returns the next frame that is not about the connection's settings.
func (m *multiple) next(t *testing.T) http2.Frame {
	t.Helper()
	for {
		f, err := m.ReadFrame()
		must(t, err)
		switch f := f.(type) {
		case *http2.SettingsFrame, *http2.WindowUpdateFrame:
		default:
			return f
		}
	}
}

func TestDrainTellsHTTP2ClientsToLeaveAndFinishesTheirStreams(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "done")
	}).Instance)
	d.serve(t, "blue")
	busy, idle := dialHTTP2(t, d.production), dialHTTP2(t, d.production)
	busy.get(t, 1)
	receive(t, "the request", begun)
	must(t, idle.WritePing(false, [8]byte{}))
	if _, ok := idle.next(t).(*http2.PingFrame); !ok {
		t.Error("no answer to a ping")
	}
	drained := make(chan error, 1)
	go func() { drained <- d.Drain(t.Context()) }()
	for name, m := range map[string]*multiple{"busy": busy, "idle": idle} {
		leave, ok := m.next(t).(*http2.GoAwayFrame)
		if !ok || leave.ErrCode != http2.ErrCodeNo {
			t.Errorf("the %s connection got %v", name, leave)
		}
	}
	select {
	case err := <-drained:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	close(release)
	if head, ok := busy.next(t).(*http2.MetaHeadersFrame); !ok || head.PseudoValue("status") != "200" {
		t.Errorf("answer %v", head)
	}
	if data, ok := busy.next(t).(*http2.DataFrame); !ok || string(data.Data()) != "done" {
		t.Errorf("answer %v", data)
	}
	if err := receive(t, "the end of the drain", drained); err != nil {
		t.Error(err)
	}
}

// A swap is not seen by an HTTP/2 connection: its streams end where they began.
func TestAnHTTP2ConnectionSurvivesASwap(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "old")
	}).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "h2")
	answers := make(chan answered, 1)
	go func() { answers <- get(t, client, "https://"+domain+"/") }()
	receive(t, "the request", begun)
	go func() {
		if _, err := d.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: "green"}); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the switch", func() bool { return d.Traffic("oms").Stack == "green" })
	reused := false
	trace := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	r, err := http.NewRequestWithContext(trace, http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	if got := do(t, client, r); got.body != "new" || !reused {
		t.Errorf("meanwhile %q, on the same connection: %t", got.body, reused)
	}
	close(release)
	if got := receive(t, "the old answer", answers); got.body != "old" {
		t.Errorf("%q", got.body)
	}
}
