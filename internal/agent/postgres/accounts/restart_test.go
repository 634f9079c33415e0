//go:build !windows

package accounts_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
)

func TestServerKilledInTheMidstOfWork(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.TestOptions(t))
	clean := openServer(t, server, accounts.Options{})
	kept := newAccount()
	if err := clean.EnsureAccount(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"create role", "create database", "set rights and open database", "drop database", "drop role"} {
		t.Run(fmt.Sprintf("at %q", at), func(t *testing.T) {
			killed := false
			killing := openServer(t, server, accounts.Options{Before: func(_ context.Context, what string) error {
				if what != at || killed {
					return nil
				}
				killed = true
				// The message is on its way while the server dies.
				return syscall.Kill(server.Status().PID, syscall.SIGKILL)
			}})
			account := newAccount()
			err := killing.EnsureAccount(t.Context(), account)
			if err == nil {
				err = killing.DropAccount(t.Context(), account.Name, account.Mark)
			}
			if !killed {
				t.Fatalf("it never came to %q: %v", at, err)
			}
			t.Logf("the work under way: %v", err)
			if err := server.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			// The pool had connections to the dead server.
			if err := clean.EnsureAccount(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			wantNoDrift(t, clean, account)
			wantNoDrift(t, clean, kept)
			if err := clean.DropAccount(t.Context(), account.Name, account.Mark); err != nil {
				t.Fatal(err)
			}
		})
	}
}
