package proxy_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// counting is an application that counts what it takes for requests.
func counting(seen *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		_, _ = io.Copy(w, r.Body)
	}
}

func TestNobodySmugglesASecondRequestInHTTP1(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, request string }{
		{"a length beside chunks", "POST / HTTP/1.1\r\nHost: eu.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: eu.localhost\r\n\r\n"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: eu.localhost\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /evil HTTP/1.1\r\nHost: eu.localhost\r\n\r\n"},
		{"an unknown encoding", "POST / HTTP/1.1\r\nHost: eu.localhost\r\nTransfer-Encoding: xchunked\r\nContent-Length: 40\r\n\r\nGET /evil HTTP/1.1\r\nHost: eu.localhost\r\n\r\n"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: eu.localhost\r\nHost: other\r\n\r\n"},
		{"a tunnel", "CONNECT eu.localhost:443 HTTP/1.1\r\nHost: eu.localhost\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var seen atomic.Int64
			d := openDoor(t)
			d.put(t, "blue", "1", startApp(t, "1", counting(&seen)).Instance)
			d.serve(t, "blue")
			_, r := raw(t, d.production, test.request)
			resp, err := http.ReadResponse(r, nil)
			must(t, err)
			must(t, resp.Body.Close())
			eventually(t, "nothing in flight", func() bool { return d.Stats("blue").InFlight == 0 })
			if routed := d.Stats("blue").Requests; seen.Load() > routed {
				t.Errorf("the application saw %d requests, the proxy %d", seen.Load(), routed)
			}
		})
	}
}

func TestNobodySmugglesALineInHTTP2(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fields []hpack.HeaderField
	}{
		{"in the method", fields("GET /evil HTTP/1.1", "/", domain)},
		{"in the path", fields("GET", "/ HTTP/1.1", domain)},
		{"in the query", fields("GET", "/?a HTTP/1.1", domain)},
		{"in the host", fields("GET", "/", "x y."+domain)},
		{"a line end in a field", append(fields("GET", "/", domain), hpack.HeaderField{Name: "x", Value: "a\r\nGET /evil HTTP/1.1"})},
		{"a line end in the path", fields("GET", "/\r\nX: y", domain)},
		{"an encoding", append(fields("GET", "/", domain), hpack.HeaderField{Name: "transfer-encoding", Value: "chunked"})},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			heads := make(chan string, 10)
			d := openDoor(t)
			d.put(t, "blue", "1", startRaw(t, "1", wire(heads)))
			d.serve(t, "blue")
			if status := speakHTTP2(t, d.production, test.fields); status == "200" {
				t.Errorf("it was answered with %s", status)
			}
			select {
			case head := <-heads:
				t.Errorf("the application saw %q", head)
			default:
			}
		})
	}
}

func fields(method, path, host string) []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"},
		{Name: ":path", Value: path}, {Name: ":authority", Value: host},
	}
}

// speakHTTP2 sends a request that no client would, and returns the status or how it was refused.
func speakHTTP2(t *testing.T, address string, fields []hpack.HeaderField) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, clientTLS("h2"))
	must(t, err)
	defer c.Close()
	_, err = io.WriteString(c, http2.ClientPreface)
	must(t, err)
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	must(t, framer.WriteSettings())
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		must(t, encoder.WriteField(f))
	}
	must(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return f.ErrCode.String()
		case *http2.GoAwayFrame:
			return f.ErrCode.String()
		}
	}
}
