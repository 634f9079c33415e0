package provider_test

import (
	"slices"
	"strings"
	"testing"
)

var acmesCredentials = set{"account_database_id": "eu/production/acme"}

func TestRotationByActionIsNoChangeToAnyPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.everything()["account_database"]
	const secret = "memory:/secrets/eu/production/acme"
	seen := []string{w.Secret(secret)}
	another := func(after string) {
		t.Helper()
		if p := w.Secret(secret); p == "" || slices.Contains(seen, p) {
			t.Errorf("after %s the password is %q, and was %q", after, p, seen)
		}
		seen = append(seen, w.Secret(secret))
	}
	rotate := func() {
		t.Helper()
		progress, d := l.invoke("rotate_credentials", acmesCredentials)
		if len(d) > 0 || len(progress) != 2 || !strings.Contains(progress[0], `"eu/production/acme"`) || !strings.Contains(progress[1], secret) {
			t.Fatalf("got %s, progress %q", d, progress)
		}
	}
	rotate()
	another("a rotation")
	o = l.empty(o, aDatabase())
	rotate()
	another("a second rotation")
	o = l.empty(o, aDatabase())

	o = l.changed(o, with(aDatabase(), set{"connection_limit": 30}))
	if got := w.Secret(secret); got != seen[2] {
		t.Errorf("another connection limit made the password %q, which was %q", got, seen[2])
	}
	o = l.changed(o, with(aDatabase(), set{"connection_limit": 30, "credential_version": 2}))
	another("another credential version")
	rotate()
	another("a rotation after it")
	l.empty(o, with(aDatabase(), set{"connection_limit": 30, "credential_version": 2}))
}

func TestRotationThatWasInterruptedIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	w.HinderAccountDatabase(acme, "the server is down")
	for range 2 {
		if _, d := l.invoke("rotate_credentials", acmesCredentials); !d.errors() || !strings.Contains(d.String(), "Unable to rotate the credentials of account database") || !strings.Contains(d.String(), "the server is down") {
			t.Errorf("got %s", d)
		}
	}
	w.HinderAccountDatabase(acme, "")
	if _, d := l.invoke("rotate_credentials", acmesCredentials); len(d) > 0 {
		t.Fatal(d)
	}
	if rec, err := w.GetAccountDatabase(t.Context(), acme); err != nil || rec.Spec.Rotation != 1 {
		t.Errorf("got %+v, %v, want one rotation", rec.Spec, err)
	}
}

func TestRotationByActionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	refuses := func(what string, config set, want string) {
		t.Helper()
		if _, d := l.invoke("rotate_credentials", config); !d.errors() || !strings.Contains(d.String(), want) {
			t.Errorf("%s: got %s\nwant an error with %q", what, d, want)
		}
	}
	refuses("what is no id", set{"account_database_id": "acme"}, `AttributeName("account_database_id")`)
	refuses("no database", set{"account_database_id": "eu/production/globex"}, "does not exist")
	refuses("no time", with(acmesCredentials, set{"timeouts": set{"invoke": "0s"}}), "not a time limit")
	if rec, err := w.GetAccountDatabase(t.Context(), acme); err != nil || rec.Spec.Rotation != 0 {
		t.Errorf("got %+v, %v, want no rotation", rec.Spec, err)
	}
	w.VanishAccountDatabase(acme)
	refuses("a database that is gone", acmesCredentials, "gone from the server")
}

func TestRotationByActionLeavesTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lab(nil).everything()
	owner := w.owner
	w.owner = "another state"
	if _, d := w.lab(nil).invoke("rotate_credentials", acmesCredentials); len(d) > 0 {
		t.Fatal(d)
	}
	if rec, err := w.GetAccountDatabase(t.Context(), acme); err != nil || rec.Meta.Owner != owner || rec.Spec.Rotation != 1 {
		t.Errorf("got %+v, %v", rec, err)
	}
}
