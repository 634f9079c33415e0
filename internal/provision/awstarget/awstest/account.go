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
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(backend)
		r.Out.Header.Set("X-Moto-Account-Id", a.ID)
	}}
	s := httptest.NewServer(&overlay{moto: proxy})
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a
}

// overlay answers what moto answers wrongly or not at all, and passes on the rest.
type overlay struct {
	pieces []piece
	moto   http.Handler
}

// piece answers some calls. It returns nil for a call that is not its business.
type piece func(c Call) http.Handler

// ServeHTTP answers a request.
func (o *overlay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, err := identify(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, p := range o.pieces {
		if h := p(call); h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	o.moto.ServeHTTP(w, r)
}
