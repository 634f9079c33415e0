package memtarget

import (
	"context"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// database is an account database as it is stored, with its password.
type database struct {
	record   target.AccountDatabaseRecord
	password string
}

// PutAccountDatabase stores an account database and repairs its drift.
func (t *Target) PutAccountDatabase(ctx context.Context, d target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	return call(ctx, t, changes, "PutAccountDatabase", func(s *store) (target.AccountDatabaseRecord, error) {
		var none target.AccountDatabaseRecord
		d, err := clone(d)
		if err != nil {
			return none, err
		}
		if err := s.openEnvironment(d.Environment); err != nil {
			return none, err
		}
		db, ok := s.databases[d.ID()]
		if !ok {
			db = &database{}
		}
		old := db.record
		m, err := s.next(fmt.Sprintf("account database %q", d.ID()), old.Meta, target.Same(old.Spec, d), o)
		switch {
		case err != nil:
			return none, err
		case !ok && s.foreign[d.ID()]:
			return none, target.Errorf(target.ErrForeign, "a database %q is there that this installation did not make", databaseName(d.ID()))
		case old.Vanished && old.Meta.Ready:
			return none, target.Errorf(target.ErrVanished, "database %q of account database %q is gone", old.Status.DatabaseName, d.ID())
		}
		db.record = target.AccountDatabaseRecord{Meta: m, Spec: d, Status: old.Status}
		s.databases[d.ID()] = db
		if h := s.hindered[d.ID().String()]; h.problem != "" {
			db.record.Meta.Problem, db.record.Meta.Stuck = h.problem, h.stuck
			return none, target.MadeIf(!ok, target.Errorf(target.ErrUnavailable, "account database %q: %s", d.ID(), h.problem))
		}
		if old.Status.PasswordVersion != d.PasswordVersion() {
			db.password = fmt.Sprintf("password %d of %s", m.Generation, d.ID())
		}
		db.record.Meta.Ready, db.record.Meta.Problem, db.record.Meta.Stuck = true, "", false
		db.record.Status = databaseStatus(d)
		return db.record, nil
	})
}

// GetAccountDatabase returns an account database.
func (t *Target) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	return call(ctx, t, reads, "GetAccountDatabase", func(s *store) (target.AccountDatabaseRecord, error) {
		if err := s.known(); err != nil {
			return target.AccountDatabaseRecord{}, err
		}
		db, ok := s.databases[id]
		if !ok {
			return target.AccountDatabaseRecord{}, missing("account database", id)
		}
		return db.record, nil
	})
}

// DeleteAccountDatabase removes an account database, never one that is not ours.
func (t *Target) DeleteAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	return do(ctx, t, "DeleteAccountDatabase", func(s *store) error {
		if err := s.known(); err != nil {
			return err
		}
		if db, ok := s.databases[id]; ok {
			r := db.record
			if r.Spec.DeletionProtection && r.Meta.Ready && !r.Vanished {
				return target.Errorf(target.ErrProtected, "account database %q is protected from deletion", id)
			}
		}
		delete(s.databases, id)
		return nil
	})
}

// ListAccountDatabases returns the account databases of an environment by id.
func (t *Target) ListAccountDatabases(ctx context.Context, environment target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	return call(ctx, t, reads, "ListAccountDatabases", func(s *store) ([]target.AccountDatabaseRecord, error) {
		if _, err := s.environment(environment); err != nil {
			return nil, err
		}
		var out []target.AccountDatabaseRecord
		for _, id := range sortedIDs(s.databases) {
			if id.Environment == environment {
				out = append(out, s.databases[id].record)
			}
		}
		return out, nil
	})
}

func databaseName(id target.AccountDatabaseID) string { return "a_" + id.Account }

func databaseStatus(d target.AccountDatabase) target.AccountDatabaseStatus {
	port := 5432
	if d.Isolation == target.IsolationCluster {
		port++
	}
	return target.AccountDatabaseStatus{
		DatabaseName:            databaseName(d.ID()),
		RoleName:                databaseName(d.ID()),
		Host:                    "127.0.0.1",
		Port:                    port,
		SecretID:                "memory:/secrets/" + d.ID().String(),
		PasswordVersion:         d.PasswordVersion(),
		ObservedConnectionLimit: d.ConnectionLimit,
	}
}
