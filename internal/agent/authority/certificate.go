package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// permittedDomains is the DNS name that the authority may sign for, with all names below it.
func permittedDomains() []string { return []string{"localhost"} }

// permittedAddresses are the IP addresses that the authority may sign for.
func permittedAddresses() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
}

// createCertificate signs the authority's own certificate and writes it to path.
func createCertificate(path, installation string, key *ecdsa.PrivateKey, now time.Time) error {
	template := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"Slipway"},
			CommonName:   "Slipway local authority of " + installation,
			SerialNumber: installation,
		},
		NotBefore:                   now.Add(-clockSkew),
		NotAfter:                    now.Add(authorityLifetime),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         permittedDomains(),
		PermittedIPRanges:           permittedAddresses(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("sign certificate: %w", err)
	}
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}), 0o644)
}

// Issue signs a certificate for a server that is reached by the names and addresses, and
// makes its key. It is good for 90 days. A name that is not under localhost, or an address
// that is not a loopback one, is refused.
func (a *Authority) Issue(dnsNames []string, ips []net.IP) (certPEM, keyPEM []byte, err error) {
	certificate, key, err := a.issue(dnsNames, ips)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err = encodeKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: certificate.Raw}), keyPEM, nil
}

func (a *Authority) issue(dnsNames []string, ips []net.IP) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	if err := checkNames(dnsNames, ips); err != nil {
		return nil, nil, fmt.Errorf("issue certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate: generate key: %w", err)
	}
	now := a.now()
	template := &x509.Certificate{
		Subject:     pkix.Name{Organization: []string{"Slipway"}},
		NotBefore:   latest(now.Add(-clockSkew), a.certificate.NotBefore),
		NotAfter:    earliest(now.Add(leafLifetime), a.certificate.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    dnsNames,
		IPAddresses: ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate: sign: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate: %w", err)
	}
	return certificate, key, nil
}

// checkNames refuses what the name constraints of the authority would make worthless.
func checkNames(dnsNames []string, ips []net.IP) error {
	if len(dnsNames)+len(ips) == 0 {
		return errors.New("no name and no address given")
	}
	for _, name := range dnsNames {
		if name != "localhost" && !strings.HasSuffix(name, ".localhost") {
			return fmt.Errorf("the local authority signs names under localhost only, not %q", name)
		}
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return fmt.Errorf("the local authority signs loopback addresses only, not %s", ip)
		}
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
