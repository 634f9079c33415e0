package authority

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// ServerConfig returns the TLS settings of a server that is reached by the names, which
// are DNS names ("*.eu.localhost" too) or IP addresses: TLS 1.2 and up, HTTP/2 and
// HTTP/1.1. Its certificate renews itself when a third of its life is left; running
// listeners need not be touched for that.
func (a *Authority) ServerConfig(names []string) (*tls.Config, error) {
	l := &leaf{authority: a}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			l.ips = append(l.ips, ip)
		} else {
			l.dnsNames = append(l.dnsNames, name)
		}
	}
	if _, err := l.current(nil); err != nil {
		return nil, fmt.Errorf("configure TLS server: %w", err)
	}
	return &tls.Config{
		GetCertificate: l.current,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
	}, nil
}

// leaf is a certificate that is always fresh.
type leaf struct {
	authority *Authority
	dnsNames  []string
	ips       []net.IP

	mu   sync.Mutex
	held *tls.Certificate
}

// current is a tls.Config's GetCertificate. Where a renewal fails, a certificate that is
// still valid goes on being served.
func (l *leaf) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.authority.now()
	if l.held != nil && fresh(l.held, now) {
		return l.held, nil
	}
	certificate, key, err := l.authority.issue(l.dnsNames, l.ips)
	if err != nil {
		if l.held != nil && now.Before(l.held.Leaf.NotAfter) {
			return l.held, nil
		}
		return nil, err
	}
	l.held = &tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate}
	return l.held, nil
}

// fresh reports whether the certificate has begun and has a third of its life left. One
// that has not begun was made by a clock that has been set back since.
func fresh(c *tls.Certificate, now time.Time) bool {
	life := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore)
	return now.After(c.Leaf.NotBefore) && now.Before(c.Leaf.NotAfter.Add(-life/3))
}
