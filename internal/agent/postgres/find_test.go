//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeServer puts programs into a new folder that claim to be a version.
func fakeServer(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	letPass(t, dir)
	for _, program := range []string{"postgres", "initdb"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// letPass opens a test's folder to other users.
func letPass(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
}

func testUser(t *testing.T) *User {
	t.Helper()
	user, err := DefaultRunAs()
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func TestFindChooses(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	tests := map[string]struct {
		places   []string
		major    int
		explicit string
		want     string
		fails    string
	}{
		"the first place that has a server":             {places: []string{empty, fakeServer(t, "17.2"), fakeServer(t, "16.1")}, want: "17.2"},
		"the version of the existing data":              {places: []string{fakeServer(t, "17.2"), fakeServer(t, "16.1 (Debian 16.1-1)")}, major: 16, want: "16.1"},
		"a release candidate":                           {places: []string{fakeServer(t, "18rc1")}, want: "18rc1"},
		"nothing that is too old":                       {places: []string{fakeServer(t, "14.9")}, fails: "it is PostgreSQL 14.9, 15 or newer is needed"},
		"nothing that is too new to have been tried":    {places: []string{fakeServer(t, "19.1")}, fails: "newer than the 18 this program was tried with"},
		"what is named explicitly, even if it is new":   {explicit: fakeServer(t, "19.1"), places: []string{fakeServer(t, "17.2")}, want: "19.1"},
		"nothing else than what is named explicitly":    {explicit: empty, places: []string{fakeServer(t, "17.2")}, fails: "local.postgres_bin_dir"},
		"no other version than the data's, if named":    {explicit: fakeServer(t, "17.2"), major: 16, fails: "the existing data needs 16"},
		"nothing whose version cannot be told":          {explicit: fakeServer(t, "unknown"), fails: "read PostgreSQL's version"},
		"nothing, and says how to get it, if it's gone": {places: []string{empty}, fails: "apt install postgresql"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := FindOptions{BinDir: test.explicit, Major: test.major, RunAs: testUser(t)}
			var found Binaries
			var err error
			if test.explicit != "" {
				found, err = Find(t.Context(), options)
			} else {
				options.Log = func(string) {}
				found, err = options.search(t.Context(), test.places, archive{})
			}
			if test.fails == "" {
				if err != nil || found.Version != test.want {
					t.Errorf("got %q, %v, want %q", found.Version, err, test.want)
				}
				return
			}
			if err == nil || !strings.Contains(fmt.Sprint(err), test.fails) {
				t.Errorf("got %v, want an error that says %q", err, test.fails)
			}
			if test.explicit == "" && !errors.Is(err, ErrNoBinaries) {
				t.Errorf("got %v, want ErrNoBinaries", err)
			}
		})
	}
}

func TestFindNamesTheFolderThatShutsTheServersUserOut(t *testing.T) {
	t.Parallel()
	user := testUser(t)
	if user == nil {
		t.Skip("needs root: only then does the server run as somebody else")
	}
	dir := fakeServer(t, "17.2")
	shut := filepath.Dir(dir)
	if err := os.Chmod(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Find(context.Background(), FindOptions{BinDir: dir, RunAs: user})
	if err == nil || !strings.Contains(fmt.Sprint(err), "chmod o+x "+shut) {
		t.Errorf("got %v, want it to name %s", err, shut)
	}
}

func TestVersionIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		version string
		major   int
	}{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": {"15.18", 15},
		"postgres (PostgreSQL) 18.6":                           {"18.6", 18},
		"postgres (PostgreSQL) 19beta1":                        {"19beta1", 19},
		"postgres (PostgreSQL) devel":                          {"", 0},
		"postgres (PostgreSQL)":                                {"", 0},
		"":                                                     {"", 0},
	} {
		version, major, err := parseVersion(text)
		if version != want.version || major != want.major || (err == nil) != (want.major != 0) {
			t.Errorf("%q: got %q, %d, %v, want %q, %d", text, version, major, err, want.version, want.major)
		}
	}
}
