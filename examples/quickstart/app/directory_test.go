package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := directory(t.TempDir())

	names, err := dir.names()
	if err != nil || len(names) != 0 {
		t.Fatalf("an empty directory lists %v, %v", names, err)
	}
	want := account{Name: "acme", Host: "127.0.0.1", Port: 5432, Database: "d1", Role: "r1", SSLMode: "verify-full", CAFile: "/ca.pem"}
	writeAccount(t, dir, want, "secret")
	writeAccount(t, dir, account{Name: "globex"}, "other")

	got, err := dir.account("acme")
	if err != nil {
		t.Fatal(err)
	}
	want.PasswordFile = filepath.Join(string(dir), "acme.password")
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if names, err = dir.names(); err != nil || !reflect.DeepEqual(names, []string{"acme", "globex"}) {
		t.Errorf("names are %v, %v", names, err)
	}
	if p, err := got.password(); err != nil || p != "secret" {
		t.Errorf("password is %q, %v", p, err)
	}
	if got, want := got.url(), "postgres://r1@127.0.0.1:5432/d1?sslmode=verify-full&sslrootcert=%2Fca.pem"; got != want {
		t.Errorf("url is %s, want %s", got, want)
	}
}

func TestDirectoryRefusesWhatIsNoAccount(t *testing.T) {
	t.Parallel()
	dir := directory(t.TempDir())
	writeAccount(t, dir, account{Name: "acme"}, "secret")
	for _, name := range []string{"", "globex", "../acme", "acme/../acme", "Acme", "-acme", "acme.json", "acme\x00"} {
		if _, err := dir.account(name); !errors.Is(err, errUnknownAccount) {
			t.Errorf("account %q: got %v, want %v", name, err, errUnknownAccount)
		}
	}
}

func TestDirectoryReportsADamagedFile(t *testing.T) {
	t.Parallel()
	dir := directory(t.TempDir())
	if err := os.WriteFile(filepath.Join(string(dir), "acme.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.account("acme"); err == nil || errors.Is(err, errUnknownAccount) {
		t.Errorf("got %v, want an error that is not %v", err, errUnknownAccount)
	}
}

func TestAccountOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"acme.production.eu.localhost:20443": "acme",
		"ACME.production.eu.localhost":       "acme",
		"acme":                               "acme",
		"":                                   "",
	} {
		if got := accountOf(host); got != want {
			t.Errorf("account of %q is %q, want %q", host, got, want)
		}
	}
}
