package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// streamApp answers with events that come from a channel, until it is closed.
func streamApp(media string, events <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		c := http.NewResponseController(w)
		_ = c.Flush()
		for {
			select {
			case event, more := <-events:
				if !more {
					return
				}
				_, _ = io.WriteString(w, event+"\n")
				_ = c.Flush()
			case <-r.Context().Done():
				return
			}
		}
	}
}

func TestEventStreamsLiveOnAcrossASwitchUntilTheyAreClosed(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			events := make(chan string)
			d.put(t, "blue", "1", startApp(t, "1", streamApp("text/event-stream; charset=utf-8", events)).Instance)
			d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
			d.serve(t, "blue")
			client := httpClient(t, d.production, protocol)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
			must(t, err)
			stream, err := client.Do(r) // comes with the head, before any event
			must(t, err)
			defer stream.Body.Close()
			lines := bufio.NewReader(stream.Body)
			say := func(event string) {
				t.Helper()
				events <- event
				if got, err := lines.ReadString('\n'); err != nil || got != event+"\n" {
					t.Fatalf("got %q, %v", got, err)
				}
			}
			say("before")
			if s := d.serve(t, "green"); !s.Drained {
				t.Errorf("the switch waited for the stream: %+v", s)
			}
			say("after")
			if got := get(t, client, "https://"+domain+"/"); got.body != "new" {
				t.Errorf("got %q", got.body)
			}
			if s := d.Stats("blue"); s.Streams != 1 || s.InFlight != 0 {
				t.Errorf("%+v", s)
			}
			must(t, d.CloseStreams(t.Context(), "blue"))
			if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
				t.Errorf("the end was %q, %v", rest, err)
			}
			eventually(t, "no streams", func() bool { return d.Stats("blue").Streams == 0 })
			if s := d.Stats("blue"); s.ConnectionFailures != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAStreamThatItsInstanceEndsIsCompleteAndOneThatBreaksIsNot(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	a := startApp(t, "1", streamApp("text/event-stream", make(chan string)))
	d.put(t, "blue", "1", a.Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "http/1.1")
	open := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
		must(t, err)
		stream, err := client.Do(r)
		must(t, err)
		return stream
	}
	broken := open()
	defer broken.Body.Close()
	a.stop()
	if rest, err := io.ReadAll(broken.Body); err == nil {
		t.Errorf("a stream that broke off ended with %q as if it was complete", rest)
	}
	events := make(chan string, 1)
	d.put(t, "blue", "1", startApp(t, "2", streamApp("text/event-stream", events)).Instance)
	events <- "last"
	close(events)
	complete := open()
	defer complete.Body.Close()
	if rest, err := io.ReadAll(complete.Body); err != nil || string(rest) != "last\n" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestChunksAreFlushedAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			events := make(chan string)
			d.put(t, "blue", "1", startApp(t, "1", streamApp("application/x-ndjson", events)).Instance)
			d.serve(t, "blue")
			client := httpClient(t, d.production, protocol)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
			must(t, err)
			resp, err := client.Do(r)
			must(t, err)
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			for _, event := range []string{"short", pattern(100_000), "last"} {
				events <- event
				if got, err := lines.ReadString('\n'); err != nil || got != event+"\n" {
					t.Fatalf("%d bytes came, %v", len(got), err)
				}
			}
			close(events)
			if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
				t.Errorf("the end was %q, %v", rest, err)
			}
		})
	}
}

// echoSocket is an application that returns what it is sent over a WebSocket.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, append([]byte("echo "), message...)); err != nil {
			return
		}
	}
}

func TestWebSocketsLiveOnAcrossASwitchUntilTheyAreClosed(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", echoSocket).Instance)
	d.put(t, "green", "2", startApp(t, "1", says("new")).Instance)
	d.serve(t, "blue")
	client := httpClient(t, d.production, "http/1.1")
	dial := func() (*websocket.Conn, *http.Response) {
		t.Helper()
		c, resp, err := websocket.Dial(t.Context(), "wss://"+domain+"/socket", &websocket.DialOptions{HTTPClient: client})
		must(t, err)
		c.SetReadLimit(1 << 20)
		return c, resp
	}
	say := func(c *websocket.Conn, message string) {
		t.Helper()
		must(t, c.Write(t.Context(), websocket.MessageText, []byte(message)))
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != "echo "+message {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}
	polite, resp := dial()
	if got := resp.Header.Get("Slipway-Release"); got != "1" {
		t.Errorf("release %q", got)
	}
	cut, _ := dial()
	defer cut.CloseNow()
	say(polite, "before")
	say(cut, "before")
	if s := d.serve(t, "green"); !s.Drained {
		t.Errorf("the switch waited: %+v", s)
	}
	say(polite, pattern(200_000))
	if s := d.Stats("blue"); s.Streams != 2 || s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
	must(t, polite.Close(websocket.StatusNormalClosure, "done"))
	eventually(t, "one stream", func() bool { return d.Stats("blue").Streams == 1 })
	must(t, d.CloseStreams(t.Context(), "blue"))
	if _, _, err := cut.Read(t.Context()); err == nil {
		t.Error("a WebSocket of a retired stack is still open")
	}
	eventually(t, "no streams", func() bool { return d.Stats("blue").Streams == 0 })
}

func TestAnUpgradeThatTheApplicationRefusesIsAnOrdinaryAnswer(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no sockets here", http.StatusForbidden)
	}).Instance)
	d.serve(t, "blue")
	_, resp, err := websocket.Dial(t.Context(), "wss://"+domain+"/", &websocket.DialOptions{HTTPClient: httpClient(t, d.production, "http/1.1")})
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestOnlyWebSocketsMaySwitchProtocols(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Upgrade")+"|"+strings.Join(r.Header["Connection"], ","))
	}).Instance)
	d.serve(t, "blue")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "h2c")
	if got := do(t, httpClient(t, d.production, "http/1.1"), r); got.body != "|" {
		t.Errorf("the application saw %q", got.body)
	}
}

func TestDeletingAStackEndsItsStreams(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", streamApp("text/event-stream", nil)).Instance)
	d.serve(t, "blue")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+domain+"/", nil)
	must(t, err)
	stream, err := httpClient(t, d.production, "h2").Do(r)
	must(t, err)
	defer stream.Body.Close()
	d.serve(t, "")
	must(t, d.DeleteStack(t.Context(), "blue"))
	if rest, err := io.ReadAll(stream.Body); err != nil || len(rest) > 0 {
		t.Errorf("the end was %q, %v", rest, err)
	}
}
