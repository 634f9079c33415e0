//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// server is a PostgreSQL server that account databases are on: one that we run, or one that
// the user has.
type server struct {
	host    string
	port    int
	cluster *accounts.Cluster
	// own is the server that we run; nil for the user's.
	own *postgres.Server
	// authority is the PEM of who signed its certificate; empty for the user's without a root
	// certificate of its own, whose clients use what their system trusts.
	authority []byte
	// root is the file that authority is from, and sslmode what the URL says, for the user's.
	root, sslmode string
	// patience is how long to wait for it while it is down.
	patience time.Duration
}

// Where a client finds a server that we run. The name is in its certificate.
const serverHost = "localhost"

// openServer makes the environment's server, or with an account that account's own, run.
func (e *environment) openServer(ctx context.Context, account string) error {
	e.opening.Lock()
	defer e.opening.Unlock()
	e.mu.Lock()
	current, file := e.servers[account], e.file
	e.mu.Unlock()
	if file.Settings.URL != "" {
		return e.openForeign(ctx, account, current, file)
	}
	if current != nil && current.own != nil {
		return current.own.Ensure(ctx)
	}
	binaries, err := postgres.Find(ctx, postgres.FindOptions{
		BinDir: file.Settings.BinDir, Repository: file.Settings.Repository, Major: e.major(account),
		RunAs: e.p.users.postgres, CacheDir: e.p.dir.cache(), Log: e.progress,
	})
	if err != nil {
		return err
	}
	certificate, key, err := e.p.authority.Issue([]string{serverHost}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback})
	if err != nil {
		return fmt.Errorf("issue the database server's certificate: %w", err)
	}
	dir, logFile, name := e.files.postgres(), e.files.postgresLog(), e.id.String()
	if account != "" {
		dir, logFile, name = e.files.cluster(account), e.files.clusterLog(account), name+"/"+account
	}
	own, err := postgres.New(postgres.Options{
		Name: name, Dir: dir, Base: string(e.p.dir), LogFile: logFile,
		MaxConnections: file.Spec.Database.MaxConnections,
		Certificate:    certificate, Key: key, Authority: e.p.authority.PEM(),
		RunAs: e.p.users.postgres, Binaries: binaries, Logger: e.p.log,
	})
	if err != nil {
		return err
	}
	s := &server{host: serverHost, own: own, authority: e.p.authority.PEM(), patience: e.p.patience}
	if err := s.reach(ctx); err != nil {
		// It may run all the same, and be what there is to stop or to remove.
		own.Release()
		e.mu.Lock()
		e.halfway[account] = own
		e.mu.Unlock()
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.servers[account] = s
	delete(e.halfway, account)
	return nil
}

// reach makes a server of ours run and opens the way to it.
func (s *server) reach(ctx context.Context) error {
	if err := s.own.Ensure(ctx); err != nil {
		return err
	}
	s.port = s.own.Port()
	address, err := s.own.AdminURL()
	if err != nil {
		return err
	}
	s.cluster, err = accounts.Open(address, accounts.Options{})
	return err
}

// openClusters makes the servers of accounts that have their own run. One that does not
// come up is no reason to take the environment down: whoever needs it is told.
func (e *environment) openClusters(ctx context.Context) {
	e.mu.Lock()
	var own []string
	for _, account := range target.SortedKeys(e.databases) {
		if e.databases[account].Spec.Isolation == target.IsolationCluster && e.servers[account] == nil {
			own = append(own, account)
		}
	}
	e.mu.Unlock()
	for _, account := range own {
		if err := e.openCluster(ctx, account); err != nil && ctx.Err() == nil {
			e.p.log.Error("an account's own database server is not up", "environment", e.id.String(), "account", account, "error", err)
		}
	}
}

// openCluster makes the server of an account run, unless the account is gone meanwhile.
func (e *environment) openCluster(ctx context.Context, account string) error {
	unlock := e.accountLock(account)
	defer unlock()
	e.mu.Lock()
	gone := e.databases[account] == nil
	e.mu.Unlock()
	if gone {
		return target.Errorf(target.ErrNotFound, "there is no account database %q in environment %q", account, e.id)
	}
	return e.openServer(ctx, account)
}

// major is the version that existing data needs, 0 if there is none.
func (e *environment) major(account string) int {
	dir := e.files.postgres()
	if account != "" {
		dir = e.files.cluster(account)
	}
	major, err := postgres.DataMajor(dir)
	if err != nil {
		return 0
	}
	return major
}

// server finds the running server that an account's database is on.
func (e *environment) server(ctx context.Context, d target.AccountDatabase, create bool) (*server, error) {
	key := serverKey(d)
	e.mu.Lock()
	s := e.servers[key]
	e.mu.Unlock()
	if s == nil && key != "" && create {
		if err := e.openServer(ctx, key); err != nil {
			return nil, err
		}
		e.mu.Lock()
		s = e.servers[key]
		e.mu.Unlock()
	}
	if s == nil {
		return e.awaitServer(ctx, key)
	}
	return s, nil
}

// remove takes the server down with its data; a server of the user's is left alone.
func (s *server) remove(ctx context.Context) error {
	s.cluster.Close()
	if s.own == nil {
		return nil
	}
	return s.own.Remove(ctx)
}

// release leaves the server running.
func (s *server) release() {
	s.cluster.Close()
	if s.own != nil {
		s.own.Release()
	}
}

// permanent says that an error of building an environment will not pass by waiting.
func permanent(err error) bool {
	var mismatch *postgres.VersionError
	return errors.Is(err, target.ErrInvalid) || errors.Is(err, postgres.ErrNoBinaries) || errors.As(err, &mismatch)
}
