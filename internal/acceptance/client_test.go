//go:build linux

package acceptance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// newClient makes an HTTPS client with one keep-alive connection to address, whatever name
// it asks for.
func newClient(authority []byte, address string) (*http.Client, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("the certificate authority is not in PEM")
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		MaxConnsPerHost: 1,
	}}, nil
}

// client reaches the machine's front door.
func (m *machine) client() *http.Client {
	m.Helper()
	return m.clients(1)[0]
}

// clients are many of them, each with a connection of its own.
func (m *machine) clients(n int) []*http.Client {
	m.Helper()
	pem, _ := m.state("slipway_environment.test")["certificate_authority"].(string)
	all := make([]*http.Client, n)
	for i := range all {
		c, err := newClient([]byte(pem), net.JoinHostPort("127.0.0.1", strconv.Itoa(m.https)))
		m.ok(err)
		m.Cleanup(c.CloseIdleConnections)
		all[i] = c
	}
	return all
}

// url is an address behind the front door, of an account or of the environment itself ("").
func (m *machine) url(account, path string) string {
	host := "production.eu.localhost"
	if account != "" {
		host = account + "." + host
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(m.https)) + path
}

// answer is what a request got.
type answer struct {
	status  int
	release string
	body    string
}

func ask(ctx context.Context, c *http.Client, method, url string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Slipway-Release"), strings.TrimSpace(string(body))}, err
}

// serves ends the test unless the front door answers with a release.
func (m *machine) serves(release string) {
	m.Helper()
	a, err := ask(m.Context(), m.client(), http.MethodGet, m.url("", "/"))
	if err != nil || a.status != http.StatusOK || a.release != release || a.body != release {
		m.Fatalf("the front door answers %+v, %v; want release %s", a, err, release)
	}
}

// place places an order and says what came of it.
func place(ctx context.Context, c *http.Client, url, id string) error {
	a, err := ask(ctx, c, http.MethodPost, url+"?id="+id)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("order %s: status %d: %s", id, a.status, a.body)
	}
	return err
}
