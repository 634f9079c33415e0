package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// startScript is an instance that answers each request with the same bytes, written in
// the given pieces, and closes the connection after one answer if told so.
func scripted(pieces []string, closes bool) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			for _, piece := range pieces {
				if _, err := io.WriteString(c, piece); err != nil {
					return
				}
			}
			if closes {
				return
			}
		}
	}
}

func TestAnswersOfAllShapesArrive(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	for _, test := range []struct {
		name   string
		method string
		pieces []string
		closes bool // the end of the connection is the end of the answer
		status int
		body   string
		header http.Header // some of what must come
		absent []string
		idle   int // connections kept afterwards
	}{
		{name: "of known length", pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n\r\nhi"}, status: 200, body: "hi", header: http.Header{"X-A": {"1", "2"}, "Content-Length": {"2"}}, idle: 1},
		{name: "in pieces", pieces: []string{"HT", "TP/1.1 200", " OK\r\nContent-Le", "ngth: 4\r\n\r", "\n", "hi", "hi"}, status: 200, body: "hihi", idle: 1},
		{name: "longer than all buffers", pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", pattern(200_000)}, status: 200, body: pattern(200_000), idle: 1},
		{name: "with a long head", pieces: []string{"HTTP/1.1 200 OK\r\nX-Long: " + long + "\r\nContent-Length: 2\r\n\r\nhi"}, status: 200, body: "hi", header: http.Header{"X-Long": {long}}, idle: 1},
		{name: "with bare line feeds", pieces: []string{"HTTP/1.1 200 OK\nContent-Length: 8\n\nhi\r\n\r\nhi"}, status: 200, body: "hi\r\n\r\nhi", idle: 1},
		{name: "with a folded field", pieces: []string{"HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 0\r\n\r\n"}, status: 200, header: http.Header{"X-Folded": {"a b"}}, idle: 1},
		{name: "with an empty reason", pieces: []string{"HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n"}, status: 299, idle: 1},
		{name: "in chunks", pieces: []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n", "3\r\n ho\r\n0\r\n\r\n"}, status: 200, body: "hi ho", idle: 1},
		{name: "in chunks cut anywhere", pieces: []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2", "\r", "\nh", "i\r", "\n0\r", "\n\r", "\n"}, status: 200, body: "hi", idle: 1},
		{name: "in chunks in spite of a length", pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"}, status: 200, body: "hi", idle: 1},
		{name: "up to the end of the connection", pieces: []string{"HTTP/1.1 200 OK\r\n\r\nhi", "hi"}, closes: true, status: 200, body: "hihi"},
		{name: "of HTTP/1.0", pieces: []string{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, status: 200, body: "hi"},
		{name: "of HTTP/1.0 with a connection to keep", pieces: []string{"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi"}, status: 200, body: "hi", idle: 1},
		{name: "with the end of the connection announced", pieces: []string{"HTTP/1.1 200 OK\r\nConnection: x-hop, close\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nhi"}, status: 200, body: "hi", absent: []string{"X-Hop", "Connection"}},
		{name: "with bytes after its end", pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhihi"}, status: 200, body: "hi"},
		{name: "without a content type", pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"}, status: 200, body: "<html>", absent: []string{"Content-Type"}, idle: 1},
		{name: "without content", pieces: []string{"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"}, status: 204, header: http.Header{"X-A": {"1"}}, absent: []string{"Content-Length"}, idle: 1},
		{name: "not modified", pieces: []string{"HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\nContent-Length: 100\r\n\r\n"}, status: 304, header: http.Header{"Etag": {`"1"`}}, idle: 1},
		{name: "to HEAD", method: http.MethodHead, pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"}, status: 200, header: http.Header{"Content-Length": {"100"}}, idle: 1},
		{name: "to HEAD in chunks", method: http.MethodHead, pieces: []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}, status: 200, idle: 1},
		{name: "after interim ones", pieces: []string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-Interim: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, status: 200, body: "hi", absent: []string{"X-Interim"}, idle: 1},
		{name: "that claims to be ours", pieces: []string{"HTTP/1.1 502 Bad Gateway\r\nSlipway-Release: 9\r\nSlipway-Error: no-route\r\nContent-Length: 0\r\n\r\n"}, status: 502, absent: []string{"Slipway-Error"}, idle: 1},
		{name: "with fields for this hop only", pieces: []string{"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nTe: x\r\nContent-Length: 0\r\n\r\n"}, status: 200, absent: []string{"Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade", "Te"}, idle: 1},
	} {
		for _, protocol := range []string{"http/1.1", "h2"} {
			t.Run(test.name+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				d := openDoor(t)
				d.put(t, "blue", "1", startRaw(t, "1", scripted(test.pieces, test.closes)))
				d.serve(t, "blue")
				client := httpClient(t, d.production, protocol)
				for range 3 { // on a new connection, and on a kept one
					r, err := http.NewRequestWithContext(t.Context(), test.method, "https://"+domain+"/", nil)
					must(t, err)
					got := do(t, client, r)
					if got.status != test.status || got.body != test.body {
						t.Errorf("%d, %d bytes; want %d, %d bytes", got.status, len(got.body), test.status, len(test.body))
					}
					if diff := cmp.Diff([]string{"1"}, got.header["Slipway-Release"]); diff != "" {
						t.Error(diff)
					}
					for key, want := range test.header {
						if diff := cmp.Diff(want, got.header[key]); diff != "" {
							t.Errorf("%s: %s", key, diff)
						}
					}
					for _, key := range test.absent {
						if values := got.header[key]; values != nil {
							t.Errorf("%s: %q", key, values)
						}
					}
				}
				eventually(t, "the right number of kept connections", func() bool { return d.Idle("blue") == test.idle && d.Stats("blue").InFlight == 0 })
				if s := d.Stats("blue"); s.ConnectionFailures != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestAnswersThatMakeNoSenseAreABadGateway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, reply, code string }{
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "bad-answer"},
		{"an unknown version", "HTTP/2.0 200 OK\r\n\r\n", "bad-answer"},
		{"a status of letters", "HTTP/1.1 abc OK\r\n\r\n", "bad-answer"},
		{"a short status", "HTTP/1.1 20 OK\r\n\r\n", "bad-answer"},
		{"a field without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "bad-answer"},
		{"a field with a space in its name", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc", "bad-answer"},
		{"a folded line before any field", "HTTP/1.1 200 OK\r\n x\r\n\r\n", "bad-answer"},
		{"a folded length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n", "bad-answer"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "bad-answer"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", "bad-answer"},
		{"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", "bad-answer"},
		{"an unknown encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "bad-answer"},
		{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "bad-answer"},
		{"a switch that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "bad-answer"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 300_000), "bad-answer"},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-", "instance-lost"},
		{"nothing", "", "instance-lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := openDoor(t)
			d.put(t, "blue", "1", startRaw(t, "1", scripted([]string{test.reply}, true)))
			d.serve(t, "blue")
			got := get(t, httpClient(t, d.production, "http/1.1"), "https://"+domain+"/")
			if got.status != http.StatusBadGateway || got.header.Get("Slipway-Error") != test.code || got.header.Get("Slipway-Release") != "" {
				t.Errorf("%d %v %q", got.status, got.header, got.body)
			}
			if s := d.Stats("blue"); s.ServerErrors != 1 || s.ConnectionFailures != 1 || d.Idle("blue") != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsNotTakenForComplete(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"of known length":   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi",
		"in chunks":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
		"between chunks":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
		"in the trailers":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-A",
		"in a chunk's size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
	} {
		for _, protocol := range []string{"http/1.1", "h2"} {
			t.Run(name+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				d := openDoor(t)
				d.put(t, "blue", "1", startRaw(t, "1", scripted([]string{reply}, true)))
				d.serve(t, "blue")
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", strings.NewReader("once"))
				must(t, err)
				if got, err := try(httpClient(t, d.production, protocol), r); err == nil {
					t.Errorf("%d %q", got.status, got.body)
				}
				eventually(t, "a failure in the figures", func() bool { return d.Stats("blue").ConnectionFailures == 1 })
			})
		}
	}
}
