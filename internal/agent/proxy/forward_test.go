package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// raw sends bytes to an entrance and returns a reader of what comes back.
func raw(t testing.TB, address, request string) (*tls.Conn, *bufio.Reader) {
	t.Helper()
	c, err := tls.Dial("tcp", address, clientTLS("http/1.1"))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, request)
	must(t, err)
	return c, bufio.NewReader(c)
}

// wire is an instance that hands out the heads of the requests as they came.
func wire(heads chan<- string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			var head []string
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == "\r\n" {
					break
				}
				head = append(head, strings.TrimSuffix(line, "\r\n"))
			}
			slices.Sort(head[1:])
			heads <- strings.Join(head, "\n")
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

func TestTheApplicationSeesTheRequestAsTheClientMadeIt(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	d := openDoor(t)
	d.put(t, "blue", "1", startRaw(t, "1", wire(heads)))
	d.serve(t, "blue")
	for _, test := range []struct{ name, request, want string }{
		{
			"fields, but for those of one hop",
			"GET /a%2Fb/../c?q=1;2&r=%20 HTTP/1.1\r\nHost: Acme.EU.localhost:8443\r\nCookie: a=1\r\nX-Two: 1\r\nX-Two: 2\r\n" +
				"Connection: keep-alive, X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: secret\r\n" +
				"TE: gzip, trailers\r\nUpgrade: h2c\r\nSlipway-Release: 9\r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nX-Forwarded-For: 9.9.9.9\r\n" +
				"X-Forwarded-Proto: http\r\nX-Forwarded-Host: evil\r\n\r\n",
			"GET /a%2Fb/../c?q=1;2&r=%20 HTTP/1.1\nCookie: a=1\nHost: Acme.EU.localhost:8443\nTe: trailers\n" +
				"X-Forwarded-For: 1.2.3.4, 5.6.7.8, 9.9.9.9, 127.0.0.1\nX-Forwarded-Host: Acme.EU.localhost:8443\nX-Forwarded-Proto: https\n" +
				"X-Two: 1\nX-Two: 2",
		},
		{
			"an absolute target",
			"GET https://eu.localhost/x?y HTTP/1.1\r\nHost: eu.localhost\r\n\r\n",
			"GET /x?y HTTP/1.1\nHost: eu.localhost\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: eu.localhost\nX-Forwarded-Proto: https",
		},
		{
			"a method that usually has a body without one",
			"POST / HTTP/1.1\r\nHost: eu.localhost\r\n\r\n",
			"POST / HTTP/1.1\nContent-Length: 0\nHost: eu.localhost\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: eu.localhost\nX-Forwarded-Proto: https",
		},
		{
			"a method of its own",
			"PURGE / HTTP/1.0\r\nHost: eu.localhost\r\n\r\n",
			"PURGE / HTTP/1.1\nHost: eu.localhost\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: eu.localhost\nX-Forwarded-Proto: https",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, r := raw(t, d.production, test.request)
			resp, err := http.ReadResponse(r, nil)
			must(t, err)
			must(t, resp.Body.Close())
			if diff := cmp.Diff(test.want, receive(t, "the request", heads)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBodiesOfAllSizesArriveBothWays(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		fmt.Fprintf(w, "%d %v %s", r.ContentLength, r.TransferEncoding, body)
	}).Instance)
	d.serve(t, "blue")
	for _, protocol := range []string{"http/1.1", "h2"} {
		client := httpClient(t, d.production, protocol)
		for _, size := range []int{0, 1, 8 << 10, 8<<10 + 1, 100_000, 3 << 20} {
			for _, known := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d bytes, length known %t, by %s", size, known, protocol), func(t *testing.T) {
					t.Parallel()
					sent := pattern(size)
					var body io.Reader = strings.NewReader(sent)
					want := fmt.Sprintf("%d [] %s", size, sent)
					if !known {
						body = io.MultiReader(body) // hides its length
						want = "-1 [chunked] " + sent
					}
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+domain+"/", body)
					must(t, err)
					if got := do(t, client, r); got.status != http.StatusOK || got.body != want {
						t.Errorf("%d, %d bytes %.40q", got.status, len(got.body), got.body)
					}
				})
			}
		}
	}
}

func TestTrailersArriveBothWays(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Announced")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	}).Instance)
	d.serve(t, "blue")
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", io.MultiReader(strings.NewReader("content")))
			must(t, err)
			r.Trailer = http.Header{"X-Sum": {"17"}}
			got := do(t, httpClient(t, d.production, protocol), r)
			if diff := cmp.Diff(http.Header{"X-Announced": {"17"}, "X-Sudden": {"2"}}, got.trailer); diff != "" || got.body != "content" {
				t.Errorf("%q, %s", got.body, diff)
			}
		})
	}
}

func TestInterimAnswersReachTheClient(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "done")
	}).Instance)
	d.serve(t, "blue")
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			var hints []string
			trace := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				hints = append(hints, fmt.Sprint(code, h))
				return nil
			}})
			r, err := http.NewRequestWithContext(trace, http.MethodGet, "https://"+domain+"/", nil)
			must(t, err)
			got := do(t, httpClient(t, d.production, protocol), r)
			if diff := cmp.Diff([]string{"103 map[Link:[</style.css>; rel=preload]]"}, hints); diff != "" || got.body != "done" || got.header["Link"] != nil {
				t.Errorf("%q %v %s", got.body, got.header, diff)
			}
		})
	}
}

func TestTheApplicationDecidesWhetherABodyIsSent(t *testing.T) {
	t.Parallel()
	var read atomic.Int64
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		body, _ := io.ReadAll(r.Body)
		read.Add(int64(len(body)))
		_, _ = w.Write(body)
	}).Instance)
	d.serve(t, "blue")
	ask := func(path string) (*tls.Conn, *bufio.Reader) {
		return raw(t, d.production, "POST "+path+" HTTP/1.1\r\nHost: "+domain+"\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	}
	t.Run("it refuses", func(t *testing.T) {
		_, r := ask("/refuse")
		resp, err := http.ReadResponse(r, nil)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusExpectationFailed || !resp.Close {
			t.Errorf("%s, connection to be closed %t", resp.Status, resp.Close)
		}
	})
	t.Run("it consents", func(t *testing.T) {
		c, r := ask("/")
		interim, err := r.ReadString('\n')
		if err != nil || interim != "HTTP/1.1 100 Continue\r\n" || read.Load() != 0 {
			t.Fatalf("%q, %v", interim, err)
		}
		_, err = io.WriteString(c, "hello")
		must(t, err)
		_, err = r.ReadString('\n')
		must(t, err)
		resp, err := http.ReadResponse(r, nil)
		must(t, err)
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello" || resp.Close {
			t.Errorf("%q, %v, connection to be closed %t", body, err, resp.Close)
		}
	})
}

func TestABodyGoesToAnApplicationThatKnowsNoConsent(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startRaw(t, "1", scripted([]string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}, false)))
	d.serve(t, "blue")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", strings.NewReader("body"))
	must(t, err)
	r.Header.Set("Expect", "100-continue")
	if got := do(t, httpClient(t, d.production, "h2"), r); got.body != "ok" {
		t.Errorf("%d %q", got.status, got.body)
	}
}

func TestAnAnswerBeforeTheEndOfAnUploadArrives(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startApp(t, "1", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.Header().Set("Connection", "close")
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = io.WriteString(w, "fine")
	}).Instance)
	d.serve(t, "blue")
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			client := httpClient(t, d.production, protocol)
			rest := make(chan struct{}) // of the body, which the client would send
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+domain+"/", &gated{content: strings.NewReader(pattern(50_000)), open: rest})
			must(t, err)
			r.ContentLength = 50_000
			resp, err := client.Do(r)
			close(rest)
			must(t, err)
			if resp.StatusCode != http.StatusRequestEntityTooLarge || protocol == "http/1.1" && !resp.Close {
				t.Errorf("%s, connection to be closed %t", resp.Status, resp.Close)
			}
			must(t, resp.Body.Close())
			if got := get(t, client, "https://"+domain+"/"); got.body != "fine" {
				t.Errorf("afterwards: %d %q", got.status, got.body)
			}
		})
	}
}

func TestAClientThatLeavesCancelsTheRequest(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			t.Run(method+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				begun, cancelled := make(chan struct{}), make(chan struct{})
				d := openDoor(t)
				d.put(t, "blue", "1", startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) {
					close(begun)
					_, _ = io.Copy(io.Discard, r.Body)
					<-r.Context().Done()
					close(cancelled)
				}).Instance)
				d.serve(t, "blue")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var body io.Reader
				if method == http.MethodPut {
					body = &gated{content: strings.NewReader(pattern(50_000)), open: ctx.Done()}
				}
				r, err := http.NewRequestWithContext(ctx, method, "https://"+domain+"/", body)
				must(t, err)
				client := httpClient(t, d.production, protocol)
				gone := make(chan error, 1)
				go func() { _, err := try(client, r); gone <- err }()
				receive(t, "the request", begun)
				cancel()
				if err := receive(t, "the end of the request", gone); err == nil {
					t.Error("it was answered")
				}
				receive(t, "the application to notice", cancelled)
				eventually(t, "nothing in flight", func() bool { return d.Stats("blue").InFlight == 0 })
				if s := d.Stats("blue"); s.ServerErrors != 0 || s.ConnectionFailures != 0 {
					t.Errorf("the stack was blamed: %+v", s)
				}
			})
		}
	}
}
