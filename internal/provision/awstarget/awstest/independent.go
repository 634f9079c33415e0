package awstest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"testing"
)

// accessKey is the access key in a signature.
var accessKey = regexp.MustCompile(`Credential=[^/]+/`)

// NewIndependent makes an account on MiniStack, which nobody of this project wrote. It ends the
// test where that can't be started.
//
// Of the overlay only what MiniStack lacks is in front of it: a PostgreSQL server behind the Data
// API, since it has databases in containers only, and Application Auto Scaling. Its tasks are
// containers in name only, see ministack.py. Used as a proxy the URL leads to its load balancers,
// for which something else answers; authority is the PEM of who issues their certificates.
func NewIndependent(t testing.TB) (e *Endpoint, authority []byte) {
	t.Helper()
	m, err := miniStack()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := issuer()
	if err != nil {
		t.Fatal(err)
	}
	e = &Endpoint{ID: newID()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.Out.Host = r.In.Host
			// MiniStack takes an access key of twelve digits for the account.
			signed := r.In.Header.Get("Authorization")
			r.Out.Header.Set("Authorization", accessKey.ReplaceAllString(signed, "Credential="+e.ID+"/"))
		},
		Transport: way,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &cloud{account: e.ID, moto: proxy, running: ctx}
	databases, scaling := newDataAPI(), newScaling(c, remote{c})
	answers := &overlay{moto: proxy, called: new(called), pieces: []piece{databases.notes, databases.statements, scaling.piece, plainDashboards}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			doors{c}.ServeHTTP(w, r)
			return
		}
		answers.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.Close()
		cancel()
		c.goroutines.Wait()
	})
	e.URL = s.URL
	return e, certificates.pem
}
