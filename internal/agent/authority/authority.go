package authority

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Names of the authority's files in its folder.
const (
	CertificateFile = "ca.pem"
	KeyFile         = "ca.key"
)

const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime      = 90 * 24 * time.Hour
	// clockSkew is how far back certificates begin, for clients whose clock is behind.
	clockSkew = time.Hour
)

// Options are the settings of an [Authority] that have a useful default.
type Options struct {
	Now func() time.Time // the clock, time.Now when nil
}

// Authority signs certificates for loopback names. It is safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         func() time.Time
}

// Open loads the authority of the named installation from dir, or makes it there when
// neither of its files exists. What is torn, unknown, expired, readable by others or
// belongs to another installation is refused with an error that names the file; nothing
// that exists is ever replaced.
func Open(dir, installation string, options Options) (*Authority, error) {
	if installation == "" {
		return nil, errors.New("open certificate authority: the installation has no name")
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	certificatePath, keyPath := filepath.Join(dir, CertificateFile), filepath.Join(dir, KeyFile)
	haveCertificate, err := exists(certificatePath)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	haveKey, err := exists(keyPath)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	switch {
	case haveCertificate && !haveKey:
		return nil, fmt.Errorf("open certificate authority: %s is missing while %s is there; "+
			"put the key back, or remove the certificate to get a new authority", keyPath, certificatePath)
	case !haveKey:
		err = createKey(keyPath)
	}
	if err != nil {
		return nil, fmt.Errorf("create certificate authority: %w", err)
	}
	key, err := loadKey(keyPath)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	// A key without a certificate is a creation that was cut short: nobody has seen it yet.
	if !haveCertificate {
		if err := createCertificate(certificatePath, installation, key, now()); err != nil {
			return nil, fmt.Errorf("create certificate authority: %w", err)
		}
	}
	certificate, err := loadCertificate(certificatePath)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	a := &Authority{certificate: certificate, key: key, now: now}
	if err := a.check(installation, keyPath); err != nil {
		return nil, fmt.Errorf("open certificate authority: %s: %w", certificatePath, err)
	}
	return a, nil
}

// PEM is the authority's certificate for trust stores and clients.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: a.certificate.Raw})
}

// check refuses an authority that is not the one that createCertificate makes.
func (a *Authority) check(installation, keyPath string) error {
	c := a.certificate
	if got := c.Subject.SerialNumber; got != installation {
		return fmt.Errorf("belongs to installation %q, not to %q", got, installation)
	}
	if public, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(&a.key.PublicKey) {
		return fmt.Errorf("does not match the key in %s", keyPath)
	}
	if !c.IsCA || !c.MaxPathLenZero || !c.PermittedDNSDomainsCritical || !slices.Equal(c.PermittedDNSDomains, permittedDomains()) {
		return errors.New("is not a certificate authority confined to localhost")
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		return fmt.Errorf("is not signed by itself: %w", err)
	}
	if now := a.now(); !now.Before(c.NotAfter) {
		return fmt.Errorf("has expired at %s; remove it and %s to get a new authority",
			c.NotAfter.UTC().Format(time.RFC3339), keyPath)
	}
	return nil
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
