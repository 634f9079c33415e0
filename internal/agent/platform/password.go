//go:build !windows

package platform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A PostgreSQL role has one password, and a stack that has just read the one before could not
// connect with it any more. So a change goes by a second login:
//
//  1. the new password is written where nobody reads it, and given to the second login
//  2. the account's entry in the directory names the second login
//  3. whoever read the entry before has some time to connect
//  4. the account's own role gets the password, its file too, and the entry names it again
//
// At each moment the entry names a login that works, also if the agent ends there. What was begun
// is finished by the next Put, or when the agent comes back.

// connectTime is how long after a look at the directory one may connect as it said.
const connectTime = 2 * time.Second

// account is what the server is to hold for an account database.
func (e *environment) account(file databaseFile, password string) accountdb.Account {
	return accountdb.Account{
		Name: file.Name, Mark: e.p.mark(file.Name), ConnectionLimit: file.Spec.ConnectionLimit,
		Password: password, Logins: []string{file.secondName()},
	}
}

// secondName is the login by which passwords change. It has the account's password.
func (d databaseFile) secondName() string { return d.Name + "_b" }

// password is the one that the server is to be given. It is fresh where it is not yet the one that
// stacks read: then it is on disk before the server has it.
func (e *environment) password(account string, rotate bool) (password string, fresh bool, err error) {
	if password, err = readSecret(e.nextPasswordFile(account)); err == nil {
		return password, true, nil // an earlier call may have got as far as the server
	}
	var unusable *secretError
	if password, err = readSecret(e.passwordFile(account)); err != nil && !errors.As(err, &unusable) || err == nil && !rotate {
		return password, false, err
	}
	password = accountdb.NewPassword()
	return password, true, e.writeForApplication(e.nextPasswordFile(account), []byte(password), 0o600)
}

// bypass lets stacks connect by the second login. Where they have nothing that works, it is not
// needed.
func (e *environment) bypass(ctx context.Context, s *server, file databaseFile, password string) error {
	account := file.Spec.Account
	if _, err := readSecret(e.passwordFile(account)); err != nil {
		return nil //nolint:nilerr // that is the question
	}
	err := s.patiently(ctx, func(ctx context.Context) error { return s.cluster.EnsureAccount(ctx, e.account(file, "")) })
	if errors.Is(err, accountdb.ErrNoPassword) {
		return nil // the role is gone
	}
	if err != nil {
		return err
	}
	second := e.account(file, password)
	second.Name, second.Mark, second.Logins = file.secondName(), e.p.mark(file.secondName()), nil
	if err := s.patiently(ctx, func(ctx context.Context) error { return s.cluster.EnsureLogin(ctx, second, file.Name) }); err != nil {
		return err
	}
	if err := e.writeForApplication(e.secondPasswordFile(account), []byte(password), 0o600); err != nil {
		return err
	}
	if err := e.publishAccount(s, file, second.Name, e.secondPasswordFile(account)); err != nil {
		return err
	}
	return e.p.clock.Sleep(ctx, connectTime)
}

// finishPasswords goes on with changes of passwords that a crash interrupted: the server may have
// a password that no stack reads yet.
func (e *environment) finishPasswords(ctx context.Context) {
	e.mu.Lock()
	accounts := target.SortedKeys(e.databases)
	e.mu.Unlock()
	for _, account := range accounts {
		if err := e.finishPassword(ctx, account); err != nil && ctx.Err() == nil {
			e.p.log.Error("the change of an account's password is not finished", "environment", e.id.String(), "account", account, "error", err)
		}
	}
}

func (e *environment) finishPassword(ctx context.Context, account string) error {
	if _, err := os.Stat(e.nextPasswordFile(account)); err != nil {
		return nil // the usual case
	}
	unlock := e.accountLock(account)
	defer unlock()
	e.mu.Lock()
	file := e.databases[account]
	e.mu.Unlock()
	if _, err := os.Stat(e.nextPasswordFile(account)); err != nil || file == nil || !file.Meta.Ready {
		return nil
	}
	s, err := e.server(ctx, file.Spec, false)
	if err == nil {
		err = e.present(ctx, s, *file)
	}
	if err != nil {
		return err
	}
	return e.ensureAccount(ctx, s, *file, false)
}

func (e *environment) passwordFile(account string) string {
	return filepath.Join(e.files.accounts(), account+".password")
}

// nextPasswordFile is there while a password is being changed.
func (e *environment) nextPasswordFile(account string) string {
	return e.passwordFile(account) + ".next"
}

func (e *environment) secondPasswordFile(account string) string {
	return filepath.Join(e.files.accounts(), account+".b.password")
}

// passwords are those of all accounts, to be kept out of what is shown.
func (e *environment) passwords() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for account := range e.databases {
		for _, path := range []string{e.passwordFile(account), e.nextPasswordFile(account)} {
			if text, err := readSecret(path); err == nil && text != "" {
				out = append(out, text)
			}
		}
	}
	return out
}
