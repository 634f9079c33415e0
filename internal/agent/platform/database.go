//go:build !windows

package platform

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// databaseFile is an account database's record.
type databaseFile struct {
	Meta target.Meta            `json:"meta"`
	Spec target.AccountDatabase `json:"spec"`
	// Name is the database's and the role's.
	Name string `json:"name"`
}

// serverKey is the key of the server that it is on: the account's own, or the environment's.
func (d databaseFile) serverKey() string { return serverKey(d.Spec) }

func serverKey(d target.AccountDatabase) string {
	if d.Isolation == target.IsolationCluster {
		return d.Account
	}
	return ""
}

func (e *environment) loadDatabases() error {
	names, err := names(e.files.databases(), ".json")
	if err != nil {
		return err
	}
	for _, account := range names {
		d := &databaseFile{}
		if err := store.Load(e.files.database(account), d); err != nil {
			e.bad.databases[account] = e.p.complain(err)
			continue
		}
		e.databases[account] = d
	}
	return nil
}

// PutAccountDatabase implements target.AccountDatabases. The record is written first: what
// is on a server is always accounted for.
func (p *Platform) PutAccountDatabase(ctx context.Context, spec target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	var none target.AccountDatabaseRecord
	e, err := p.environment(spec.Environment)
	if err != nil {
		return none, err
	}
	unlock := e.accountLock(spec.Account)
	defer unlock()
	s, err := e.server(ctx, spec, true)
	if err != nil {
		return none, err
	}
	e.mu.Lock()
	before := e.databases[spec.Account]
	err = e.bad.databases[spec.Account]
	e.mu.Unlock()
	if err != nil {
		return none, err
	}
	file := databaseFile{Name: e.p.databaseName(spec.ID())}
	if before != nil {
		file = *before
	}
	if !repeated(file.Meta, o, target.Same(file.Spec, spec)) {
		if file.Meta, err = next(file.Meta, o, p.clock.Now(), "account database", spec.ID().String()); err != nil {
			return none, err
		}
	}
	if file.Meta.Ready {
		if err := e.present(ctx, s, file); err != nil {
			return none, err
		}
	}
	rotate := before != nil && before.Meta.Ready && before.Spec.PasswordVersion() != spec.PasswordVersion()
	file.Spec = spec
	if !file.Meta.Ready {
		if err := e.saveDatabase(file); err != nil {
			return none, err
		}
	}
	if err := e.ensureAccount(ctx, s, file, rotate); err != nil {
		if before == nil && errors.Is(err, target.ErrForeign) {
			return none, errors.Join(err, e.unpublish(spec.Account), e.forget(spec.Account))
		}
		return none, target.MadeIf(before == nil && !e.published(spec.Account), err)
	}
	file.Meta.Ready = true
	if err := e.saveDatabase(file); err != nil {
		return none, err
	}
	return e.databaseRecord(file, s, nil, false), nil
}

// present refuses to make a database anew that was finished before and is not there.
func (e *environment) present(ctx context.Context, s *server, file databaseFile) error {
	seen, err := e.catalogue(ctx, s, file.Name)
	if err != nil {
		return err
	}
	if entry, there := seen[file.Name]; there && entry.Database != nil {
		return nil
	}
	return target.Errorf(target.ErrVanished, "database %q of account database %q is gone from its server", file.Name, file.Spec.ID())
}

// ensureAccount makes the server and the account directory what is asked.
func (e *environment) ensureAccount(ctx context.Context, s *server, file databaseFile, rotate bool) error {
	if err := privateDir(e.files.accounts(), e.application()); err != nil {
		return fmt.Errorf("make account directory: %w", err)
	}
	password, fresh, err := e.password(file.Spec.Account, rotate)
	if err != nil {
		return err
	}
	if fresh {
		err = e.bypass(ctx, s, file, password)
	}
	if err == nil {
		err = s.patiently(ctx, func(ctx context.Context) error {
			return s.cluster.EnsureAccount(ctx, e.account(file, password))
		})
	}
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err != nil {
		return err
	}
	if fresh {
		if err := e.writeForApplication(e.passwordFile(file.Spec.Account), []byte(password), 0o600); err != nil {
			return err
		}
	}
	if err := e.publishAccount(s, file, file.Name, e.passwordFile(file.Spec.Account)); err != nil || !fresh {
		return err
	}
	if err := os.Remove(e.nextPasswordFile(file.Spec.Account)); err != nil {
		return fmt.Errorf("end the change of a password: %w", err)
	}
	return nil
}

// publishAccount writes the account's entry in the directory that stacks read, with a login.
func (e *environment) publishAccount(s *server, file databaseFile, role, passwordFile string) error {
	entry := directoryEntry{
		Account: file.Spec.Account, Host: s.host, Port: s.port, Database: file.Name, Role: role,
		SSLMode: cmp.Or(s.sslmode, "verify-full"), PasswordFile: passwordFile,
	}
	if len(s.authority) > 0 {
		entry.CAFile = filepath.Join(e.files.accounts(), caFile)
		if now, err := os.ReadFile(entry.CAFile); err != nil || !bytes.Equal(now, s.authority) {
			if err := e.writeForApplication(entry.CAFile, s.authority, 0o644); err != nil {
				return err
			}
		}
	}
	if err := e.writeEntry(e.files.accounts(), entry, e.application()); err != nil {
		return err
	}
	return e.refreshSuites(file.Spec.Account)
}

// directoryEntry is what a running stack reads about an account.
type directoryEntry struct {
	Account      string `json:"account"`
	Host         string `json:"host"`
	Port         int    `json:"port"`
	Database     string `json:"database"`
	Role         string `json:"role"`
	SSLMode      string `json:"sslmode"`
	CAFile       string `json:"ca_file,omitempty"`
	PasswordFile string `json:"password_file"`
}

// published says whether stacks can read of an account, and put something into its database.
func (e *environment) published(account string) bool {
	_, err := os.Stat(filepath.Join(e.files.accounts(), account+".json"))
	return !errors.Is(err, fs.ErrNotExist)
}

// entry is what stacks read of an account.
func (e *environment) entry(account string) (entry directoryEntry, err error) {
	text, err := os.ReadFile(filepath.Join(e.files.accounts(), account+".json"))
	if err != nil {
		return entry, target.Errorf(target.ErrInvalid, "account %q has no database in environment %q", account, e.id)
	}
	if err := json.Unmarshal(text, &entry); err != nil {
		return entry, fmt.Errorf("read account %q: %w", account, err)
	}
	return entry, nil
}

func (e *environment) writeEntry(dir string, entry directoryEntry, u *process.User) error {
	text, err := json.MarshalIndent(entry, "", "  ")
	if err != nil {
		return fmt.Errorf("encode account: %w", err)
	}
	path := filepath.Join(dir, entry.Account+".json")
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, append(text, '\n')) {
		return nil
	}
	return e.p.writeFile(path, append(text, '\n'), 0o600, u)
}

// copyAccount puts one account with all of its files into a directory of its own, for a user
// who may not look into the environment's.
func (e *environment) copyAccount(account, dir string, u *process.User) error {
	e.copying.Lock()
	defer e.copying.Unlock()
	entry, err := e.entry(account)
	if err != nil {
		return err
	}
	for _, path := range []*string{&entry.PasswordFile, &entry.CAFile} {
		if *path == "" {
			continue
		}
		text, err := os.ReadFile(*path)
		if err != nil {
			return fmt.Errorf("read account %q: %w", account, err)
		}
		*path = filepath.Join(dir, filepath.Base(*path))
		if err := e.p.writeFile(*path, text, 0o600, u); err != nil {
			return err
		}
	}
	return e.writeEntry(dir, entry, u)
}

// refreshSuites brings the copies of an account up to date that running test suites have.
func (e *environment) refreshSuites(account string) error {
	for _, s := range e.allSlots() {
		for _, t := range s.allTasks() {
			if !t.tests(account) {
				continue
			}
			u, err := e.suite(s.id.Name)
			if err == nil {
				err = e.copyAccount(account, t.accountsDir(), u)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // not there yet: what it gets is new
				return err
			}
		}
	}
	return nil
}

func (e *environment) writeForApplication(path string, content []byte, mode fs.FileMode) error {
	return e.p.writeFile(path, content, mode, e.application())
}

func (e *environment) saveDatabase(file databaseFile) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.removing {
		return target.Errorf(target.ErrUnavailable, "environment %q is being removed", e.id)
	}
	if err := e.p.save(e.files.database(file.Spec.Account), file); err != nil {
		return err
	}
	e.databases[file.Spec.Account] = &file
	return nil
}

func (e *environment) hasDatabase(account string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.databases[account]
	return d != nil && d.Meta.Ready
}

// databaseName is opaque: names are visible to every account on the server.
func (p *Platform) databaseName(id target.AccountDatabaseID) string {
	return accountdb.Prefix + p.keyed("database", id.String())
}

// mark tells our objects on a server from those of others.
func (p *Platform) mark(name string) string { return "slipway-" + p.keyed("mark", name) }

func (p *Platform) keyed(purpose, text string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return accountdb.Keyed([]byte(p.installation.Key), purpose, text)
}

// accountLock keeps changes of one account's database one after the other.
func (e *environment) accountLock(account string) (unlock func()) {
	e.mu.Lock()
	l := e.changing[account]
	if l == nil {
		l = make(chan struct{}, 1)
		e.changing[account] = l
	}
	e.mu.Unlock()
	l <- struct{}{}
	return func() { <-l }
}
