package awstarget

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// errUnreached says that no connection to a front door came about from here.
var errUnreached = errors.New("the front door can't be reached from here")

// newDoor makes what connections to front doors are made with: as those to AWS, through the
// proxies of the settings. An authority of the settings is believed beside the system's, since
// not every proxy that opens connections to AWS opens others as well.
func newDoor(c aws.Config, bundle string) (*http.Transport, error) {
	door, ok := transport(c).(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("requests to AWS are carried by a %T, which can't be told how to reach a front door", transport(c))
	}
	door = door.Clone()
	dialer := &net.Dialer{Timeout: probeTimeout / 2, KeepAlive: 30 * time.Second}
	door.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errUnreached, err)
		}
		return conn, err
	}
	door.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%w: the proxy %s answered with %s", errUnreached, proxy.Host, answer.Status)
		}
		return nil
	}
	if bundle = bundleOf(c, bundle); bundle == "" {
		return door, nil
	}
	pem, err := os.ReadFile(bundle)
	if err != nil {
		return nil, fmt.Errorf("read custom_ca_bundle: %w", err)
	}
	if door.TLSClientConfig.RootCAs, err = x509.SystemCertPool(); err != nil {
		return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
	}
	door.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
	return door, nil
}

// bundleOf is the file of authorities that holds: that of the settings, else of the
// environment, else of the profile.
func bundleOf(c aws.Config, bundle string) string {
	for _, source := range c.ConfigSources {
		if bundle != "" {
			break
		}
		switch s := source.(type) {
		case config.EnvConfig:
			bundle = s.CustomCABundle
		case config.SharedConfig:
			bundle = s.CustomCABundle
		}
	}
	return bundle
}

// addresses are those of a load balancer's nodes, of which each zone has one or more: each has its own idea of the
// rules. Where a proxy opens the connections, or the name is not known here, there is only the name.
func (c *clients) addresses(ctx context.Context, r *http.Request) []string {
	name := r.URL.Hostname()
	if proxy := c.doors.Proxy; proxy != nil {
		if through, err := proxy(r); err != nil || through != nil {
			return []string{name}
		}
	}
	all, err := c.resolve(ctx, name)
	if err != nil {
		return []string{name} // whoever dials it says why
	}
	return all
}

// door carries requests to a load balancer for a host, whatever the host's name leads to: by one of its addresses.
func (c *clients) door(host, address string) *http.Transport {
	d := c.doors.Clone()
	d.TLSClientConfig.ServerName, d.MaxIdleConnsPerHost = host, 1
	if net.ParseIP(address) != nil {
		d.DialContext = func(ctx context.Context, network, to string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(to)
			if err != nil {
				return nil, err
			}
			return c.doors.DialContext(ctx, network, net.JoinHostPort(address, port))
		}
	}
	return d
}
