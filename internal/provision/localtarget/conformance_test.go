//go:build !windows

package localtarget_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/targettest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// installation is one agent's data directory under test.
type installation struct{ dir string }

func newInstallation(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	// The unprivileged users of what runs in it have to pass through.
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	i := &installation{dir}
	t.Cleanup(func() {
		var said bytes.Buffer
		if code := agent.Main(context.WithoutCancel(t.Context()), []string{"stop", "--data-dir", dir}, "dev", &said, &said); code != 0 {
			t.Errorf("stop the agent: %s", said.String())
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log", "agent.log"))
			t.Logf("the agent's log:\n%s", log)
		}
	})
	return i
}

func (i *installation) client() *localtarget.Target {
	return localtarget.New(localtarget.Options{DataDir: i.dir, Executable: binary, Version: "dev"})
}

// ports hands out pairs of free ports, none twice.
var ports struct {
	sync.Mutex
	next int
}

func freePort(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		ports.next++
		port := 15000 + os.Getpid()%100*40 + ports.next
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("there is no free port")
	return 0
}

func environment(t *testing.T, region, name string) target.Environment {
	id := target.EnvironmentID{Region: region, Name: name}
	return target.Environment{
		Region: region, Name: name, Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant,
		DomainName: id.DefaultDomainName(), Database: target.Database{MaxConnections: 50},
		Network: target.Network{ListenAddress: "127.0.0.1", HTTPSPort: freePort(t), PreviewPort: freePort(t)},
	}
}

func TestAccLocalConformance(t *testing.T) {
	t.Parallel()
	installations := sync.Map{} // by client
	of := func(d target.Driver) *installation {
		i, _ := installations.Load(d)
		return i.(*installation)
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) (target.Driver, wait.Clock) {
			i := newInstallation(t)
			d := i.client()
			installations.Store(d, i)
			return d, wait.Real{}
		},
		Reopen: func(_ *testing.T, d target.Driver) target.Driver {
			again := of(d).client()
			installations.Store(again, of(d))
			return again
		},
		Environment: environment,
		Apps:        apps{},
		Patience:    2 * time.Minute,
		Secret: func(t *testing.T, _ target.Driver, secretID string) string {
			text, err := os.ReadFile(secretID)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		},
		Vanish: func(t *testing.T, d target.Driver, id target.AccountDatabaseID) {
			// By another client: d keeps what it has read for its run.
			rec, err := of(d).client().GetAccountDatabase(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			of(d).execute(t, id.Environment, "DROP DATABASE "+rec.Status.DatabaseName+" WITH (FORCE)")
		},
		PlantForeign: func(t *testing.T, d target.Driver, id target.AccountDatabaseID) {
			spec := target.AccountDatabase{Environment: id.Environment, Account: id.Account, Isolation: target.IsolationDatabase, ConnectionLimit: 1, CredentialVersion: 1}
			rec, err := d.PutAccountDatabase(t.Context(), spec, target.PutOptions{Owner: "to learn its name"})
			if err == nil {
				err = d.DeleteAccountDatabase(t.Context(), id)
			}
			if err != nil {
				t.Fatal(err)
			}
			of(d).execute(t, id.Environment, "CREATE ROLE "+rec.Status.RoleName)
		},
		Obstruct: func(t *testing.T, _ target.Driver, e target.Environment) {
			l, err := net.Listen("tcp", net.JoinHostPort(e.Network.ListenAddress, strconv.Itoa(e.Network.HTTPSPort)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		},
		Request: func(t *testing.T, d target.Driver, id target.EnvironmentID, host, path string) (string, int) {
			rec, err := d.GetEnvironment(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return request(t, rec, host, path)
		},
		Leftovers: func(t *testing.T, d target.Driver) []string { return of(d).leftovers(t) },
	})
}

// execute runs a statement as the server's administrator.
func (i *installation) execute(t *testing.T, id target.EnvironmentID, sql string) {
	t.Helper()
	dir := filepath.Join(i.dir, "environments", id.Region+"."+id.Name, "postgres")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(postgres.Administrator, read("admin.password")),
		Host: "localhost:" + read("port"), Path: "postgres",
		RawQuery: url.Values{"sslmode": {"verify-full"}, "sslrootcert": {filepath.Join(dir, "authority.crt")}}.Encode(),
	}
	conn, err := pgx.Connect(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// request sends a GET through the production entrance.
func request(t *testing.T, rec target.EnvironmentRecord, host, path string) (string, int) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(rec.Status.CertificateAuthority))
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(rec.Spec.Network.HTTPSPort))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.Header.Get("Slipway-Release"), response.StatusCode
}

// leftovers are files other than logs.
func (i *installation) leftovers(t *testing.T) []string {
	t.Helper()
	var left []string
	err := filepath.WalkDir(i.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == filepath.Join(i.dir, "log") {
			return fs.SkipDir
		}
		if err == nil && path != i.dir {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// apps are programs of the test binary.
type apps struct{}

func (apps) program(words ...string) target.Component {
	return target.Component{
		Command: append([]string{binary, "app"}, words...), Scaling: target.Scaling{Min: 1, Max: 3},
		HealthCheck: &target.HealthCheck{Path: "/healthz", IntervalSeconds: 1, TimeoutSeconds: 5, HealthyThreshold: 2, UnhealthyThreshold: 2},
	}
}

func (a apps) Healthy() target.Component        { return a.program("well") }
func (a apps) NeverHealthy() target.Component   { return a.program("sick") }
func (a apps) CrashesAtStart() target.Component { return a.program("crash") }

func (a apps) MissingCommand() target.Component {
	c := a.program()
	c.Command = []string{binary + "-missing"}
	return c
}

func (a apps) Unbuildable() target.Component {
	c := a.program()
	c.Command, c.Image = nil, "app:1"
	return c
}

func (a apps) Worker() target.Component {
	c := a.program("worker")
	c.HealthCheck = nil
	return c
}

func (apps) task(words ...string) target.Task {
	return target.Task{Command: append([]string{binary, "app"}, words...)}
}

func (a apps) TaskPasses() target.Task        { return a.task("exit", "0") }
func (a apps) TaskFails(code int) target.Task { return a.task("exit", fmt.Sprint(code)) }
func (a apps) TaskHangs() target.Task         { return a.task("hang") }
func (apps) TaskMissing() target.Task {
	return target.Task{Command: []string{binary + "-missing"}}
}
