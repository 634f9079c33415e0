//go:build !windows

package provider_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// machine is an installation on this machine: a real agent, with real processes and a real
// PostgreSQL server, which this test binary is as well.
type machine struct {
	t          *testing.T
	dir        string
	executable string
	https      int
	preview    int
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	asked(t)
	// Under root the agent's processes belong to a user who can't enter Go's build folder.
	dir, err := os.MkdirTemp("", "slipway-provider-")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, dir: filepath.Join(dir, "data"), executable: filepath.Join(dir, "slipway-test"), https: freePort(t), preview: freePort(t)}
	t.Cleanup(func() {
		m.stopAgent(context.WithoutCancel(t.Context()))
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(m.dir, "log", "agent.log"))
			t.Logf("the agent's log:\n%s", log)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copySelf(t, m.executable)
	return m
}

func copySelf(t *testing.T, path string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (m *machine) stopAgent(ctx context.Context) {
	m.t.Helper()
	var said bytes.Buffer
	if code := agent.Main(ctx, []string{"stop", "--data-dir", m.dir}, "test", &said, &said); code != 0 {
		m.t.Errorf("stop the agent: %s", said.String())
	}
}

func (m *machine) serve() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){"slipway": func() (tfprotov6.ProviderServer, error) {
		return providerserver.NewProtocol6WithError(provider.New("test", provider.WithDriver(func(provider.Settings) (target.Driver, error) {
			return localtarget.New(localtarget.Options{DataDir: m.dir, Executable: m.executable, Version: "test"}), nil
		}))())()
	}}
}

// config is a platform whose slot serves a release; changes are those of the slot.
func (m *machine) config(release string, changes attrs) string {
	command := func(words ...string) string {
		return fmt.Sprintf("[%q, %q, %q]", m.executable, "app", strings.Join(words, `", "`))
	}
	network := fmt.Sprintf("{ https_port = %d, preview_port = %d }", m.https, m.preview)
	return regionBlock(nil) + environmentBlock(attrs{"network": network}) + databaseBlock(nil) + slotBlock(attrs{
		"release":    strconv.Quote(release),
		"components": fmt.Sprintf(`{ api = { command = %s, health_check = { path = "/healthz", interval_seconds = 1, healthy_threshold = 1 }, routes = [{}] } }`, command("serve")),
		"test_suite": fmt.Sprintf(`{ command = %s, account = slipway_account_database.test.account }`, command("exit")),
		"swap":       "{ minimum_healthy_seconds = 1, bake_seconds = 1 }",
	}.with(changes))
}

// answers checks that the front door answers with a release.
func (m *machine) answers(release string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		ca := s.RootModule().Resources[environmentAddress].Primary.Attributes["certificate_authority"]
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(ca))
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", m.https))
			},
		}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, fmt.Sprintf("https://acme.production.eu.localhost:%d/", m.https), nil)
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return err
		}
		if got := strings.TrimSpace(string(body)); got != release || resp.Header.Get("Slipway-Release") != release {
			return fmt.Errorf("the front door answers %d %q of release %q, want release %q", resp.StatusCode, got, resp.Header.Get("Slipway-Release"), release)
		}
		return nil
	}
}

// nothingLeft finds files of the installation other than logs, and ports that still answer.
func (m *machine) nothingLeft(*terraform.State) error {
	var left []string
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == filepath.Join(m.dir, "log") {
			return fs.SkipDir
		}
		if err == nil && path != m.dir {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("destroy left %q", left)
	}
	for _, port := range []int{m.https, m.preview} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return fmt.Errorf("port %d is still taken: %w", port, err)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

func TestAccLocal(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	failing := attrs{"test_suite": fmt.Sprintf(`{ command = [%q, "app", "exit", "3"] }`, m.executable)}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: m.serve(),
		CheckDestroy:             m.nothingLeft,
		Steps: []resource.TestStep{
			{Config: m.config("1", nil), Check: m.answers("1")},
			emptyPlan(m.config("1", nil)),
			imported("slipway_region.test", "eu"),
			imported(environmentAddress, "eu/production"),
			imported(databaseAddress, "eu/production/acme"),
			imported(slotAddress, "eu/production/oms"),
			{Config: m.config("2", nil), Check: m.answers("2")},
			emptyPlan(m.config("2", nil)),
			{Config: m.config("3", failing), ExpectError: regexp.MustCompile(`(?s)exit.*3.*Release\s+2`)},
			{RefreshState: true, ExpectNonEmptyPlan: true, Check: m.answers("2")},
			{Config: m.config("1", nil), Check: m.answers("1")},
			emptyPlan(m.config("1", nil)),
		},
	})
}

func TestAccLocalInstallationThatIsMissing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	away := m.dir + "-away"
	config := regionBlock(nil)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: m.serve(),
		CheckDestroy:             m.nothingLeft,
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					m.stopAgent(t.Context())
					if err := os.Rename(m.dir, away); err != nil {
						t.Fatal(err)
					}
				},
				Config: config, PlanOnly: true,
				ExpectError: regexp.MustCompile(`belongs\s+to\s+installation(?s:.*)state\s+was\s+left\s+as\s+it\s+is`),
			},
			{
				PreConfig: func() {
					if err := os.RemoveAll(m.dir); err != nil {
						t.Fatal(err)
					}
					if err := os.Rename(away, m.dir); err != nil {
						t.Fatal(err)
					}
				},
				Config: config, PlanOnly: true,
			},
			{Config: config},
		},
	})
}
