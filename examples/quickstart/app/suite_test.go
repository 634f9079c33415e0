package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entrance is a preview entrance to release 2. It is reached as acme.example.com, a name
// that the test server's certificate has and no resolver knows.
func entrance(t *testing.T, handler http.Handler) func(string) string {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Slipway-Release", "2")
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	dir := directory(t.TempDir())
	writeAccount(t, dir, account{Name: "acme"}, "secret")
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"SLIPWAY_PREVIEW_URL":     "https://example.com:8443",
		"SLIPWAY_PREVIEW_ADDRESS": server.Listener.Addr().String(),
		"SLIPWAY_CA_FILE":         caFile,
		"SLIPWAY_RELEASE":         "2",
		"SLIPWAY_ACCOUNTS_DIR":    string(dir),
	}
	return func(name string) string { return env[name] }
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrap func(http.Handler) http.Handler
		fail string // a line of the output, "" when the release is good
	}{
		"a good release passes": {
			wrap: func(h http.Handler) http.Handler { return h },
		},
		"a release that changes the quantity fails": {
			wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					body = bytes.Replace(body, []byte(`"quantity":3`), []byte(`"quantity":1`), 1)
					r.Body = io.NopCloser(bytes.NewReader(body))
					h.ServeHTTP(w, r)
				})
			},
			fail: "FAIL  it reads back as it was placed: order is 1 × smoke test, expected 3 × smoke test",
		},
		"an entrance that leads to another release fails": {
			wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Slipway-Release", "1")
					h.ServeHTTP(w, r)
				})
			},
			fail: "FAIL  the preview entrance leads to the candidate: header Slipway-Release is 1, expected 2",
		},
		"a release that is down fails": {
			wrap: func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					http.Error(w, "down", http.StatusBadGateway)
				})
			},
			fail: `FAIL  an order can be placed: POST /api/orders answered 502 Bad Gateway: "down\n"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := fakeBooks("acme")
			mux := http.NewServeMux()
			api{books: books}.routes(mux)
			console{books: books}.routes(mux)
			var out strings.Builder
			err := testCommand(t.Context(), entrance(t, test.wrap(mux)), &out)
			if (err != nil) != (test.fail != "") || !strings.Contains(out.String(), test.fail) {
				t.Errorf("error %v, output:\n%s\nwant %q", err, &out, test.fail)
			}
			acme, _ := books(t.Context(), "acme")
			if n, _ := acme.count(t.Context()); n != 0 {
				t.Errorf("the suite left %d orders behind", n)
			}
		})
	}
}
