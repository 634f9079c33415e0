package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakePlatform is an order service for acme and globex. Answer may fail an order.
type fakePlatform struct {
	mu     sync.Mutex
	orders map[string]int
	answer func(w http.ResponseWriter, n int) (taken bool)
}

func (f *fakePlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	account, _, _ := strings.Cut(r.Host, ".")
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(map[string]int{"count": f.orders[account]})
		return
	}
	w.Header().Set("Slipway-Release", "1")
	if f.answer(w, f.orders["acme"]+f.orders["globex"]) {
		f.orders[account]++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id": %d}`, f.orders[account])
	}
}

// teller tells of the fake platform to out. The test server's certificate has the names
// under example.com.
func (f *fakePlatform) teller(t *testing.T, out io.Writer) *teller {
	t.Helper()
	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return &teller{
		narrator: newNarrator(out),
		platform: platform{
			authorities: map[string]string{"production": string(ca)},
			addresses: map[string]map[string]string{"production": {
				"acme":   "https://acme.example.com:" + port,
				"globex": "https://globex.example.com:" + port,
			}},
		},
	}
}

func TestUnderLoad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter, n int) bool
		lost   string // "" where nothing may be lost
	}{
		"nothing is lost": {
			answer: func(http.ResponseWriter, int) bool { return true },
		},
		"an answer that is no answer is a failed order": {
			answer: func(w http.ResponseWriter, n int) bool {
				if n == 30 {
					http.Error(w, "away", http.StatusBadGateway)
					return n != 30
				}
				return true
			},
			lost: `order answered with 502 Bad Gateway`,
		},
		"an acknowledged order that is not stored is lost": {
			answer: func(w http.ResponseWriter, n int) bool {
				if n == 30 {
					w.WriteHeader(http.StatusCreated)
					fmt.Fprint(w, `{"id": 7}`)
				}
				return n != 30
			},
			lost: "in its database and was told of",
		},
		"an order that was seen before was sent twice": {
			answer: func(w http.ResponseWriter, n int) bool {
				if n == 30 {
					fmt.Fprint(w, `{"id": 7}`)
				}
				return n != 30
			},
			lost: "order answered with 200 OK",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakePlatform{orders: map[string]int{}, answer: test.answer}
			var out strings.Builder
			called := false
			r, lost, changed := f.teller(t, &out).underLoad(t.Context(), func() error {
				called = true
				return nil
			})
			if changed != nil || !called {
				t.Fatalf("the change was made: %v, with error %v", called, changed)
			}
			if r.Sent < 2*connections {
				t.Errorf("only %d orders were sent", r.Sent)
			}
			switch {
			case test.lost == "" && (lost != nil || r.Failed > 0 || r.acknowledged() != r.Sent || r.ByRelease["1"] != r.Sent):
				t.Errorf("lost %v\n%+v\n%s", lost, r, &out)
			case test.lost != "" && (lost == nil || !strings.Contains(lost.Error(), test.lost)):
				t.Errorf("lost %v, expected %q\n%s", lost, test.lost, &out)
			}
		})
	}
}
