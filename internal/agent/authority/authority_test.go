package authority_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/authority"
)

const installation = "3f1c"

func open(t *testing.T, dir string) *authority.Authority {
	t.Helper()
	a, err := authority.Open(dir, installation, authority.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(t *testing.T, content []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(content)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenMakesAnAuthorityOnceAndLoadsItAfterwards(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "authority")
	first := open(t, dir).PEM()
	if diff := cmp.Diff(string(first), string(open(t, dir).PEM())); diff != "" {
		t.Errorf("the second Open made another authority:\n%s", diff)
	}
	ca := parse(t, first)
	if !ca.IsCA || !ca.MaxPathLenZero || !ca.PermittedDNSDomainsCritical {
		t.Error("the authority is not confined")
	}
	var permitted []string
	for _, ip := range ca.PermittedIPRanges {
		permitted = append(permitted, ip.String())
	}
	permitted = append(permitted, ca.PermittedDNSDomains...)
	if diff := cmp.Diff([]string{"127.0.0.0/8", "::1/128", "localhost"}, permitted); diff != "" {
		t.Error(diff)
	}
	if years := time.Until(ca.NotAfter).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("the authority lives for %.1f years", years)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
	info, err := os.Stat(filepath.Join(dir, authority.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %04o", info.Mode().Perm())
	}
}

func TestOpenRefusesWhatItDidNotMake(t *testing.T) {
	t.Parallel()
	edit := func(name string, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	twice := func(b []byte) []byte { return append(b, b...) }
	otherKey := func(b []byte) []byte {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		der, _ := x509.MarshalPKCS8PrivateKey(key)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		file   string
		says   string
	}{
		{"a torn certificate", edit(authority.CertificateFile, half), authority.CertificateFile, "torn"},
		{"an empty certificate", edit(authority.CertificateFile, func([]byte) []byte { return nil }), authority.CertificateFile, "torn"},
		{"two certificates", edit(authority.CertificateFile, twice), authority.CertificateFile, "exactly one"},
		{"a torn key", edit(authority.KeyFile, half), authority.KeyFile, "torn"},
		{"another key", edit(authority.KeyFile, otherKey), authority.KeyFile, "does not match"},
		{"a certificate without its key", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, authority.KeyFile)); err != nil {
				t.Fatal(err)
			}
		}, authority.KeyFile, "is missing"},
		{"a key that others may read", func(t *testing.T, dir string) {
			if runtime.GOOS == "windows" {
				t.Skip("no modes on Windows")
			}
			if err := os.Chmod(filepath.Join(dir, authority.KeyFile), 0o644); err != nil {
				t.Fatal(err)
			}
		}, authority.KeyFile, "chmod 600"},
		{"a folder in the place of the key", func(t *testing.T, dir string) {
			path := filepath.Join(dir, authority.KeyFile)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, authority.KeyFile, "not a regular file"},
		{"a foreign authority", func(t *testing.T, dir string) {
			foreign := filepath.Join(t.TempDir(), "foreign")
			if _, err := authority.Open(foreign, "9999", authority.Options{}); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{authority.CertificateFile, authority.KeyFile} {
				if err := os.Rename(filepath.Join(foreign, name), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}, authority.CertificateFile, `installation "9999", not to "3f1c"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			open(t, dir)
			test.damage(t, dir)
			_, err := authority.Open(dir, installation, authority.Options{})
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, test.file)) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error that names %s and says %q", err, test.file, test.says)
			}
		})
	}
}

func TestOpenFinishesACreationThatWasCutShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if err := os.Remove(filepath.Join(dir, authority.CertificateFile)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestOpenRefusesAnAuthorityThatHasExpired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	later := func() time.Time { return time.Now().AddDate(11, 0, 0) }
	_, err := authority.Open(dir, installation, authority.Options{Now: later})
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v", err)
	}
}

func TestIssueSignsLoopbackNamesOnly(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for _, test := range []struct {
		name  string
		names []string
		ips   []net.IP
		reach []string // names by which a client must be able to verify it
	}{
		{"a name under localhost", []string{"db.localhost"}, nil, []string{"db.localhost"}},
		{"localhost and addresses", []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, []string{"localhost", "127.0.0.1", "::1"}},
		{"a wildcard", []string{"*.eu.localhost"}, nil, []string{"acme.eu.localhost"}},
		{"another domain", []string{"example.com"}, nil, nil},
		{"a domain that only ends alike", []string{"notlocalhost"}, nil, nil},
		{"another address", nil, []net.IP{net.IPv4(10, 0, 0, 1)}, nil},
		{"nothing", nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			certificate, key, err := a.Issue(test.names, test.ips)
			if test.reach == nil {
				if err == nil {
					t.Error("it was signed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tls.X509KeyPair(certificate, key); err != nil {
				t.Error(err)
			}
			leaf := parse(t, certificate)
			for _, name := range test.reach {
				if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
					t.Errorf("verify as %s: %v", name, err)
				}
			}
		})
	}
}

func TestTheAuthorityIsWorthlessOutsideLocalhost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := parse(t, open(t, dir).PEM())
	stolen, err := os.ReadFile(filepath.Join(dir, authority.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(stolen)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(template x509.Certificate) *x509.Certificate {
		template.Subject = pkix.Name{CommonName: "forged"}
		template.NotBefore, template.NotAfter = time.Now(), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, &template, ca, &key.(*ecdsa.PrivateKey).PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	if _, err := forge(x509.Certificate{DNSNames: []string{"bank.example"}}).Verify(x509.VerifyOptions{Roots: roots, DNSName: "bank.example"}); err == nil {
		t.Error("a forged name was accepted")
	}
	if _, err := forge(x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}).Verify(x509.VerifyOptions{Roots: roots, DNSName: "10.0.0.1"}); err == nil {
		t.Error("a forged address was accepted")
	}
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	client := forge(x509.Certificate{DNSNames: []string{"localhost"}, ExtKeyUsage: usages})
	if _, err := client.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: usages}); err == nil {
		t.Error("a forged client was accepted")
	}
}

func TestServerConfigRenewsItsCertificateByItself(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	a, err := authority.Open(t.TempDir(), installation, authority.Options{
		Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	config, err := a.ServerConfig([]string{"eu.localhost", "*.eu.localhost", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	serial := func(days int) string {
		offset.Store(int64(time.Duration(days) * 24 * time.Hour))
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.String()
	}
	first := serial(0)
	if serial(55) != first {
		t.Error("it was renewed with more than a third of its life left")
	}
	second := serial(65)
	if second == first {
		t.Error("it was not renewed with less than a third of its life left")
	}
	if serial(0) == second {
		t.Error("it was kept although the clock was set back to before its begin")
	}
	if _, err := a.ServerConfig([]string{"example.com"}); err == nil {
		t.Error("a name outside localhost was configured")
	}
}

func TestServerConfigSpeaksHTTP2AndRefusesOldTLS(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	config, err := a.ServerConfig([]string{"eu.localhost"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	shake := func(client *tls.Config) (tls.ConnectionState, error) {
		client.RootCAs, client.ServerName = roots, "eu.localhost"
		near, far := net.Pipe()
		defer near.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer far.Close()
			server := tls.Server(far, config)
			_ = server.HandshakeContext(t.Context()) // the client's side tells
		}()
		c := tls.Client(near, client)
		err := c.HandshakeContext(t.Context())
		near.Close()
		<-done
		return c.ConnectionState(), err
	}
	state, err := shake(&tls.Config{NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12})
	if err != nil || state.NegotiatedProtocol != "h2" {
		t.Errorf("TLS 1.2 with h2: %q, %v", state.NegotiatedProtocol, err)
	}
	if _, err := shake(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}
