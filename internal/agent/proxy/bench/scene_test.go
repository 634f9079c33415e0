package bench

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// scene is what all contenders have in common.
type scene struct {
	certificate string            // a file with the certificate and its key
	instances   map[string]string // the address of each release's instance
}

// contender is who is measured.
type contender struct {
	name    string
	address string
	pid     int                   // 0 if it has no process of its own
	swap    func(to string) error // nil if it cannot swap; returns as soon as the contender says so
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

func setScene(b *testing.B) scene {
	return scene{writeCertificate(b), map[string]string{
		"blue":  startInstance(b, "blue", nil),
		"green": startInstance(b, "green", nil),
	}}
}

// contenders starts all who can be had here and names the others.
func contenders(b *testing.B, s scene) (all []contender, missing []string) {
	settings, err := serverTLS(s.certificate)
	must(b, err)
	all = append(all, contender{name: "direct", address: startInstance(b, "blue", settings)},
		startOwn(b, "floor", s), startOwn(b, "slipway", s))
	for _, peer := range []peer{nginx, haproxy, caddy} {
		program, err := exec.LookPath(peer.name)
		if err != nil {
			missing = append(missing, peer.name)
			continue
		}
		b.Logf("%s: %s", peer.name, peer.tell(b.Context(), program))
		all = append(all, peer.start(b, program, s))
	}
	for _, c := range all {
		c.await(b)
	}
	return all, missing
}

// await waits until the contender answers.
func (c contender) await(b *testing.B) {
	b.Helper()
	limit := time.Now().Add(patience)
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		client := client{address: c.address}
		got := client.request()
		client.close()
		if !got.failed {
			return
		}
		if time.Now().After(limit) {
			b.Fatalf("%s does not answer", c.name)
		}
	}
}

// startInstance is an application whose answers look like those of a small JSON API, and which
// repeats what it hears over a WebSocket.
func startInstance(b *testing.B, release string, settings *tls.Config) string {
	b.Helper()
	body := bytes.Repeat([]byte(`{"id":17},`), 30)
	routes := http.NewServeMux()
	routes.HandleFunc("/orders", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Release", release)
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
	routes.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, said, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, said) != nil {
				return
			}
		}
	})
	l := listen(b)
	if settings != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: settings.Certificates, NextProtos: []string{"http/1.1"}})
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: routes}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// writeCertificate makes a certificate that signs itself.
func writeCertificate(b *testing.B) string {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(b, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(b, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(b, err)
	file := filepath.Join(b.TempDir(), "certificate.pem")
	must(b, os.WriteFile(file, append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), 0o600))
	return file
}
