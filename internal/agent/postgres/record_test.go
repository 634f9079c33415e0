//go:build !windows

package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordIsRead(t *testing.T) {
	t.Parallel()
	whole := "4711\n/data dir\n1795000000\n5433\n\n127.0.0.1\n  16777271     98308\nready   \n"
	tests := map[string]struct {
		text string
		want *record
	}{
		"whole":            {whole, &record{4711, "/data dir", time.Unix(1795000000, 0), 5433, true}},
		"still starting":   {strings.Replace(whole, "ready", "starting", 1), &record{4711, "/data dir", time.Unix(1795000000, 0), 5433, false}},
		"half written":     {"4711\n/data dir\n", &record{4711, "/data dir", time.Unix(0, 0), 0, false}},
		"empty":            {"", &record{started: time.Unix(0, 0)}},
		"not a record":     {"hello\n", nil},
		"a single backend": {"-4711\n/data dir\n1795000000\n", &record{-4711, "/data dir", time.Unix(1795000000, 0), 0, false}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseRecord(test.text)
			if (err != nil) != (test.want == nil) {
				t.Errorf("error: got %v", err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(record{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBackOffGrowsToItsLimit(t *testing.T) {
	t.Parallel()
	for failures, most := range map[int]time.Duration{
		0: time.Second, 1: 2 * time.Second, 4: 16 * time.Second, 5: 30 * time.Second, 1000: 30 * time.Second,
	} {
		for range 50 {
			if got := backOff(failures); got > most || got < most*3/4 {
				t.Errorf("after %d failures: got %s, want %s or up to a quarter less", failures, got, most)
			}
		}
	}
}

func TestLogIsRotatedWhenItIsLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postgres.log")
	if err := rotate(path); err != nil {
		t.Errorf("no log: %v", err)
	}
	if err := os.WriteFile(path, []byte("small"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := rotate(path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "small" {
		t.Errorf("small log: got %q, %v, want it as it was", text, err)
	}
	// Whoever appends goes on in the same file.
	server, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := os.Truncate(path, logLimit); err != nil {
		t.Fatal(err)
	}
	if err := rotate(path); err != nil {
		t.Fatal(err)
	}
	if _, err := server.WriteString("next"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "next" {
		t.Errorf("new log: got %q, %v", text, err)
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != logLimit {
		t.Errorf("old log: got %v, %v", info, err)
	}
}
