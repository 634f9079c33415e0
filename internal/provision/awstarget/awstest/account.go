package awstest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Account is an AWS account of a test's own, empty at first.
type Account struct {
	Endpoint

	// Proxy is the URL of a proxy that leads to its load balancers by their names.
	Proxy string
	// Authority issues the certificates of its load balancers and of its database clusters; PEM.
	Authority []byte
	// Judge says what IAM must allow for what is sent to it.
	Judge *Judge

	overlay   *overlay
	called    called
	cloud     *cloud
	fleet     *fleet
	balancing *balancing
	scaling   *scaling
	databases *dataAPI
}

// New makes an account. It ends the test where the emulator can't be started.
func New(t testing.TB) *Account {
	t.Helper()
	m, err := moto()
	if err != nil {
		t.Fatal(err)
	}
	backend, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	a := &Account{Endpoint: Endpoint{ID: newID()}}
	a.Judge = newJudge(a.ID)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.Out.Header.Set("X-Moto-Account-Id", a.ID)
		},
		Transport: way,
		// A client that has gone away needs no log.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	certificates, err := issuer()
	if err != nil {
		t.Fatal(err)
	}
	a.Authority = certificates.pem
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a.cloud = &cloud{account: a.ID, moto: proxy, running: ctx}
	a.balancing = newBalancing(a.cloud, new(meters))
	a.fleet = newFleet(a.cloud, a.balancing)
	a.fleet.stepped = make(chan struct{})
	a.scaling = newScaling(a.cloud, a.fleet)
	a.databases = newDataAPI()
	a.overlay = newOverlay(a)
	s := httptest.NewServer(a.overlay)
	p := httptest.NewServer(http.HandlerFunc(a.serveProxy))
	t.Cleanup(func() {
		s.Close()
		p.CloseClientConnections()
		p.Close()
		cancel()
		a.cloud.goroutines.Wait()
	})
	a.URL, a.Proxy = s.URL, p.URL
	return a
}

// Transport leads to the account within this process, whatever the address.
func (a *Account) Transport() http.RoundTripper { return direct{a.overlay} }

// Run lets images of a name, such as "orders" for "registry.example.com/orders:1", run a
// program. There are "well", "sick", "crash", "worker", "hang" and "exit" already,
// and "amazonlinux" and "curl", which run the shell of this machine.
func (a *Account) Run(image string, p Program) {
	a.fleet.mu.Lock()
	defer a.fleet.mu.Unlock()
	a.fleet.programs[image] = p
}

// RunAs lets images of a name run what those of another do.
func (a *Account) RunAs(image, other string) { a.Run(image, programs()[other]) }
