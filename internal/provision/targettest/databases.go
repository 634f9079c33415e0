package targettest

import (
	"context"
	"net"
	"slices"
	"strconv"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// database is the definition of a database for an account of its own.
func (w *world) database(id target.EnvironmentID) target.AccountDatabase {
	return target.AccountDatabase{
		Environment: id, Account: w.name("account"),
		Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1,
	}
}

func (w *world) putDatabase(d target.AccountDatabase, generation int64) target.AccountDatabaseRecord {
	w.Helper()
	rec, err := w.driver.PutAccountDatabase(w.Context(), d, target.PutOptions{Owner: owner, IfGeneration: generation})
	w.ok(err)
	return rec
}

func accountDatabaseTests() []test {
	nouns := noun[target.AccountDatabase]{
		object: func(w *world) target.AccountDatabase { return w.database(w.environment()) },
		changed: func(d target.AccountDatabase) target.AccountDatabase {
			d.ConnectionLimit, d.DataResidency = 7, []string{"EU"}
			return d
		},
		put: func(ctx context.Context, d target.Driver, a target.AccountDatabase, o target.PutOptions) (target.Meta, target.AccountDatabase, error) {
			rec, err := d.PutAccountDatabase(ctx, a, o)
			return rec.Meta, rec.Spec, err
		},
		get: func(ctx context.Context, d target.Driver, a target.AccountDatabase) (target.Meta, target.AccountDatabase, error) {
			rec, err := d.GetAccountDatabase(ctx, a.ID())
			return rec.Meta, rec.Spec, err
		},
		delete: func(ctx context.Context, d target.Driver, a target.AccountDatabase) error {
			return d.DeleteAccountDatabase(ctx, a.ID())
		},
		list: func(ctx context.Context, d target.Driver, a target.AccountDatabase) ([]target.AccountDatabase, error) {
			all, err := d.ListAccountDatabases(ctx, a.Environment)
			var out []target.AccountDatabase
			for _, r := range all {
				out = append(out, r.Spec)
			}
			return out, err
		},
		settle: func(*world, target.AccountDatabase) {},
	}
	return append(nouns.tests(),
		test{"a database can be used when the put returns", func(w *world) {
			rec := w.putDatabase(w.database(w.environment()), 0)
			s := rec.Status
			if !rec.Meta.Ready || s.DatabaseName == "" || s.RoleName == "" || s.Host == "" || s.Port == 0 || s.SecretID == "" || len(s.Drift) > 0 {
				w.Errorf("the record is incomplete: %+v", rec)
			}
			if s.ObservedConnectionLimit != rec.Spec.ConnectionLimit {
				w.Errorf("the role may hold %d connections, want %d", s.ObservedConnectionLimit, rec.Spec.ConnectionLimit)
			}
		}},
		test{"another credential version, or a rotation, makes a new password, and nothing else does", credentials},
		test{"an account that asks for a cluster of its own is on no other's, and it goes with the database", ownCluster},
		test{"twenty databases made at once are twenty, and deleted at once none", twentyDatabases},
		test{"a database in an environment that is not there is refused", func(w *world) {
			d := w.database(target.EnvironmentID{Region: w.environment().Region, Name: "nowhere"})
			_, err := w.driver.PutAccountDatabase(w.Context(), d, target.PutOptions{Owner: owner})
			w.refused(err, target.ErrNotFound)
		}},
		test{"a protected database is not deleted before its protection is taken away", func(w *world) {
			d := w.database(w.environment())
			d.DeletionProtection = true
			w.putDatabase(d, 0)
			w.refused(w.driver.DeleteAccountDatabase(w.Context(), d.ID()), target.ErrProtected)
			d.DeletionProtection = false
			w.putDatabase(d, 1)
			w.ok(w.driver.DeleteAccountDatabase(w.Context(), d.ID()))
		}},
		test{"a database that vanished is told, not made anew, and can be given up though protected", vanishedDatabase},
		test{"an object that is not ours is neither adopted nor removed", foreignDatabase},
	)
}

func credentials(w *world) {
	if w.Secret == nil {
		w.Skip("the harness can't read secrets")
	}
	d := w.database(w.environment())
	read := func(rec target.AccountDatabaseRecord) string { return w.Secret(w.T, w.driver, rec.Status.SecretID) }
	first := read(w.putDatabase(d, 0))
	if first == "" {
		w.Fatal("there is no password")
	}
	if read(w.putDatabase(d, 0)) != first {
		w.Error("a repeated put made another password")
	}
	d.ConnectionLimit++
	if read(w.putDatabase(d, 1)) != first {
		w.Error("another connection limit made another password")
	}
	seen := []string{first}
	for generation, change := range []func(){func() { d.CredentialVersion++ }, func() { d.Rotation++ }, func() { d.CredentialVersion++ }} {
		change()
		version, last := d.PasswordVersion(), seen[len(seen)-1]
		rec := w.putDatabase(d, int64(generation+2))
		if p := read(rec); p == "" || slices.Contains(seen, p) {
			w.Errorf("version %s made no other password", version)
		} else {
			last, seen = p, append(seen, p)
		}
		if rec.Status.PasswordVersion != version {
			w.Errorf("password %q is in effect, want %q", rec.Status.PasswordVersion, version)
		}
		if read(w.putDatabase(d, int64(generation+2))) != last {
			w.Errorf("a repeated put of version %s made another password", version)
		}
	}
}

func ownCluster(w *world) {
	ctx, env := w.Context(), w.environment()
	shared := w.putDatabase(w.database(env), 0)
	d := w.database(env)
	d.Isolation, d.SkipFinalSnapshot = target.IsolationCluster, true
	place := func(rec target.AccountDatabaseRecord) string {
		return net.JoinHostPort(rec.Status.Host, strconv.Itoa(rec.Status.Port))
	}
	own := w.putDatabase(d, 0)
	if !own.Meta.Ready || place(own) == place(shared) {
		w.Errorf("the account's cluster is at %s, the environment's at %s", place(own), place(shared))
	}
	d.ConnectionLimit, d.CredentialVersion = 9, 2
	w.putDatabase(d, 1)
	all, err := w.reopened().ListAccountDatabases(ctx, env)
	w.ok(err)
	at := slices.IndexFunc(all, func(rec target.AccountDatabaseRecord) bool { return cmp.Equal(rec.Spec, d) })
	if at < 0 || place(all[at]) != place(own) || all[at].Status.ObservedConnectionLimit != 9 || len(all[at].Status.Drift) > 0 {
		w.Fatalf("the list does not have it as it is: %+v", all)
	}
	w.ok(w.driver.DeleteAccountDatabase(ctx, d.ID()))
	_, err = w.driver.GetAccountDatabase(ctx, d.ID())
	w.refused(err, target.ErrNotFound)
	if rec, err := w.driver.GetAccountDatabase(ctx, shared.Spec.ID()); err != nil || rec.Vanished {
		w.Errorf("the database of another account is gone with it: %+v, %v", rec, err)
	}
}

func twentyDatabases(w *world) {
	ctx, env := w.Context(), w.environment()
	var wanted []target.AccountDatabase
	for range 20 {
		wanted = append(wanted, w.database(env))
	}
	for _, err := range w.together(len(wanted), func(d target.Driver, i int) error {
		_, err := d.PutAccountDatabase(ctx, wanted[i], target.PutOptions{Owner: owner})
		return err
	}) {
		w.ok(err)
	}
	all, err := w.driver.ListAccountDatabases(ctx, env)
	w.ok(err)
	databases, roles, secrets := map[string]bool{}, map[string]bool{}, map[string]bool{}
	found := 0
	for _, rec := range all {
		databases[rec.Status.DatabaseName], roles[rec.Status.RoleName], secrets[rec.Status.SecretID] = true, true, true
		if slices.ContainsFunc(wanted, func(d target.AccountDatabase) bool { return cmp.Equal(d, rec.Spec) }) && rec.Meta.Ready {
			found++
		}
	}
	if found != len(wanted) || len(databases) != len(all) || len(roles) != len(all) || len(secrets) != len(all) {
		w.Fatalf("%d of %d databases are listed as they were put; all %d have %d names, %d roles and %d secrets", found, len(wanted), len(all), len(databases), len(roles), len(secrets))
	}
	for _, err := range w.together(len(wanted), func(d target.Driver, i int) error {
		return d.DeleteAccountDatabase(ctx, wanted[i].ID())
	}) {
		w.ok(err)
	}
	for _, d := range wanted {
		_, err := w.driver.GetAccountDatabase(ctx, d.ID())
		w.refused(err, target.ErrNotFound)
	}
}

func vanishedDatabase(w *world) {
	if w.Vanish == nil {
		w.Skip("the harness can't remove a database behind the driver's back")
	}
	ctx, d := w.Context(), w.database(w.environment())
	d.DeletionProtection = true
	w.putDatabase(d, 0)
	w.Vanish(w.T, w.driver, d.ID())
	rec, err := w.reopened().GetAccountDatabase(ctx, d.ID())
	w.ok(err)
	if !rec.Vanished {
		w.Fatal("a new client does not see that the database has vanished")
	}
	for _, generation := range []int64{0, 1} {
		_, err = w.driver.PutAccountDatabase(ctx, d, target.PutOptions{Owner: owner, IfGeneration: generation})
		w.refused(err, target.ErrVanished)
	}
	w.ok(w.driver.DeleteAccountDatabase(ctx, d.ID()))
	w.putDatabase(d, 0)
}

func foreignDatabase(w *world) {
	if w.PlantForeign == nil {
		w.Skip("the harness can't make foreign objects")
	}
	ctx, d := w.Context(), w.database(w.environment())
	w.PlantForeign(w.T, w.driver, d.ID())
	for range 2 { // the second time after an attempt to delete it
		_, err := w.driver.PutAccountDatabase(ctx, d, target.PutOptions{Owner: owner})
		w.refused(err, target.ErrForeign)
		_, err = w.driver.GetAccountDatabase(ctx, d.ID())
		w.refused(err, target.ErrNotFound)
		w.gone(w.driver.DeleteAccountDatabase(ctx, d.ID()))
	}
}
