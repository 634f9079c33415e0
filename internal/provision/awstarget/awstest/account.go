package awstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// Account is an AWS account of a test's own, empty at first.
type Account struct {
	// ID has twelve digits.
	ID string
	// URL is the endpoint of every service in it.
	URL string
}

// accounts counts the accounts of this test binary.
var accounts atomic.Int64

// New makes an account. It ends the test where the emulator can't be started.
func New(t testing.TB) *Account {
	t.Helper()
	m, err := emulator()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	a := &Account{ID: fmt.Sprintf("%012d", 100000000000+accounts.Add(1))}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.Out.Header.Set("X-Moto-Account-Id", a.ID)
		},
		// A client that has gone away needs no log.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	s := httptest.NewServer(newOverlay(proxy))
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a
}
