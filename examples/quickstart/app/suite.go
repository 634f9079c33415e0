package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// testCommand is the test suite of a release. Slipway runs it when the candidate is healthy
// and before it gets traffic: exit code 0 lets it pass, another one removes it.
func testCommand(ctx context.Context, getenv func(string) string, out io.Writer) error {
	s, err := newSuite(getenv, out)
	if err != nil {
		return err
	}
	defer s.client.CloseIdleConnections()
	s.run(ctx)
	if s.failed > 0 {
		return fmt.Errorf("release %s fails %d of %d tests", s.release, s.failed, s.total)
	}
	fmt.Fprintf(out, "release %s passes all %d tests\n", s.release, s.total)
	return nil
}

// suite talks to the preview entrance, which leads to the very instances that will go live.
type suite struct {
	client  *http.Client
	base    url.URL // of the account's own host name
	account string
	release string
	out     io.Writer

	total, failed int
}

func newSuite(getenv func(string) string, out io.Writer) (*suite, error) {
	for _, name := range []string{"SLIPWAY_PREVIEW_URL", "SLIPWAY_PREVIEW_ADDRESS", "SLIPWAY_CA_FILE", "SLIPWAY_RELEASE", "SLIPWAY_ACCOUNTS_DIR"} {
		if getenv(name) == "" {
			return nil, fmt.Errorf("%s is not set: Slipway sets it for a test suite with an account", name)
		}
	}
	preview, err := url.Parse(getenv("SLIPWAY_PREVIEW_URL"))
	if err != nil {
		return nil, fmt.Errorf("read preview URL: %w", err)
	}
	names, err := directory(getenv("SLIPWAY_ACCOUNTS_DIR")).names()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("no account to test with: set test_suite.account")
	}
	pem, err := os.ReadFile(getenv("SLIPWAY_CA_FILE"))
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(pem)
	address := getenv("SLIPWAY_PREVIEW_ADDRESS")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authority, MinVersion: tls.VersionTLS12},
		// Names under .localhost are not known to every resolver: connect to the address.
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	preview.Host = names[0] + "." + preview.Host
	return &suite{
		client:  &http.Client{Transport: transport, Timeout: 10 * time.Second},
		base:    *preview,
		account: names[0],
		release: getenv("SLIPWAY_RELEASE"),
		out:     out,
	}, nil
}

// check runs one test and reports it.
func (s *suite) check(what string, test func() error) {
	s.total++
	if err := test(); err != nil {
		s.failed++
		fmt.Fprintf(s.out, "FAIL  %s: %v\n", what, err)
		return
	}
	fmt.Fprintf(s.out, "ok    %s\n", what)
}
