//go:build !windows

package platform

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// openForeign uses a server of the user's. It is asked to hold databases and roles, and to
// keep everybody else's accounts out.
func (e *environment) openForeign(ctx context.Context, account string, current *server, file environmentFile) error {
	if account != "" {
		return target.Errorf(target.ErrInvalid, "isolation \"cluster\" needs a server of the account's own, and local.postgres_url names one server for all: use isolation \"database\"")
	}
	s, err := foreignServer(file.Settings)
	if err != nil {
		return err
	}
	if err := e.tryForeign(ctx, s, file); err != nil {
		s.cluster.Close()
		return err
	}
	e.mu.Lock()
	e.servers[account] = s
	e.mu.Unlock()
	if current != nil {
		current.release()
	}
	for _, d := range e.allDatabases() {
		if !d.Meta.Ready {
			continue
		}
		// The root certificate may be another one by now.
		if err := e.republish(s, d.Spec.Account); err != nil {
			return err
		}
	}
	return nil
}

// foreignServer is the server that settings name. Nothing is asked of it yet.
func foreignServer(from settings) (*server, error) {
	address, err := url.Parse(from.URL)
	if err != nil {
		return nil, target.Errorf(target.ErrInvalid, "local.postgres_url is not an address")
	}
	s := &server{host: address.Hostname(), port: 5432, sslmode: address.Query().Get("sslmode")}
	if text := address.Port(); text != "" {
		if s.port, err = strconv.Atoi(text); err != nil {
			return nil, target.Errorf(target.ErrInvalid, "local.postgres_url has port %q", text)
		}
	}
	if root := address.Query().Get("sslrootcert"); root != "" && root != "system" {
		if s.authority, err = os.ReadFile(root); err != nil {
			return nil, target.Errorf(target.ErrInvalid, "read the root certificate that sslrootcert in local.postgres_url names: %v", err)
		}
		s.root = root
	}
	if s.cluster, err = accounts.Open(from.URL, accounts.Options{Password: from.Password}); err != nil {
		return nil, target.Errorf(target.ErrInvalid, "local.postgres_url: %v", err)
	}
	return s, nil
}

// tryForeign logs in to the user's server, and sees once that it keeps accounts apart.
func (e *environment) tryForeign(ctx context.Context, s *server, file environmentFile) error {
	if file.Walled == file.Settings.URL {
		if err := s.cluster.Ping(ctx); err != nil {
			return fmt.Errorf("reach the server of local.postgres_url: %w", err)
		}
		return nil
	}
	if err := s.cluster.CloseMaintenance(ctx); err != nil {
		return fmt.Errorf("close the maintenance databases of the server of local.postgres_url: %w", err)
	}
	name := accountdb.Prefix + e.p.keyed("probe", e.id.String())
	leaks, err := s.cluster.Probe(ctx, name, e.p.mark(name))
	if err != nil {
		return fmt.Errorf("try whether the server of local.postgres_url keeps accounts apart: %w", err)
	}
	if err := refuseLeaks(leaks); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.file.Walled = file.Settings.URL
	e.saveOrComplain()
	return nil
}

// refuseLeaks says where an account's login got that it must not, and what the server's owner
// has to do about it.
func refuseLeaks(l accounts.Leaks) error {
	var problems, ways []string
	if len(l.Databases) > 0 {
		problems = append(problems, "connect to databases that are not its own: "+strings.Join(l.Databases, ", "))
		for _, statement := range l.Statements() {
			ways = append(ways, statement+";")
		}
	}
	if l.Plaintext {
		problems = append(problems, "connect without TLS")
		ways = append(ways, "in pg_hba.conf, before every other line: hostnossl all all all reject; then SELECT pg_reload_conf();")
	}
	if len(problems) == 0 {
		return nil
	}
	return target.Errorf(target.ErrInvalid, "the server of local.postgres_url does not keep accounts apart. A login made to try it, with no rights of its own and removed again, could %s. "+
		"The server's owner has to change that, as the guide \"The local target\" says, then apply again: %s", strings.Join(problems, ", and "), strings.Join(ways, " "))
}

// rootRenewed says whether the root certificate of the user's server is another one by now. One
// that can't be read is none.
func (e *environment) rootRenewed() bool {
	e.mu.Lock()
	s := e.servers[""]
	e.mu.Unlock()
	if s == nil || s.root == "" {
		return false
	}
	now, err := os.ReadFile(s.root)
	return err == nil && len(now) > 0 && !bytes.Equal(now, s.authority)
}

// republish writes an account's entry again with the login that it has, unless the account is gone
// meanwhile.
func (e *environment) republish(s *server, account string) error {
	unlock := e.accountLock(account)
	defer unlock()
	e.mu.Lock()
	d := e.databases[account]
	e.mu.Unlock()
	if d == nil || !d.Meta.Ready {
		return nil
	}
	entry, err := e.entry(account)
	if err != nil {
		return err
	}
	return e.publishAccount(s, *d, entry.Role, entry.PasswordFile)
}
