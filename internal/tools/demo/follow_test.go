package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeAgent makes a provider whose "agent status" says what the file status.json holds.
func fakeAgent(t *testing.T) (p place, say func(status string)) {
	t.Helper()
	p = place{t.TempDir()}
	if err := os.MkdirAll(filepath.Dir(p.provider()), 0o755); err != nil {
		t.Fatal(err)
	}
	status := filepath.Join(p.dir, "status.json")
	script := "#!/bin/sh\n[ \"$*\" = \"agent status --json --data-dir " + p.data() + "\" ] && cat " + status + "\n"
	if err := os.WriteFile(p.provider(), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return p, func(text string) {
		t.Helper()
		if err := os.WriteFile(status, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFollowTellsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	p, say := fakeAgent(t)
	say(`{"slots": [{"id": "eu/production/oms", "serving": "1", "swap": {"id": "a",
		"steps": [{"phase": "preparing", "at": "2026-11-03T10:00:00Z"}]}}]}`)
	var out strings.Builder
	stop, err := follow(t.Context(), newNarrator(&out), p)
	if err != nil {
		t.Fatal(err)
	}
	say(`{"slots": [
		{"id": "eu/production/oms", "serving": "2", "swap": {"id": "b", "steps": [
			{"phase": "preparing", "at": "2026-11-03T11:00:00Z"},
			{"phase": "testing", "at": "2026-11-03T11:00:02Z", "note": "8 tests"}]}},
		{"id": "eu/sandbox/oms", "serving": "2", "swap": {"id": "c", "steps": [
			{"phase": "migrating", "at": "2026-11-03T11:00:01Z"}]}},
		{"id": "eu/sandbox/idle"}]}`)
	stop()
	var told []string
	for line := range strings.Lines(out.String()) {
		_, text, _ := strings.Cut(line, "]")
		told = append(told, strings.Join(strings.Fields(text), " "))
	}
	want := "eu/production/oms preparing|eu/sandbox/oms migrating|eu/production/oms testing: 8 tests"
	if got := strings.Join(told, "|"); got != want {
		t.Errorf("told\n%s, want\n%s", got, want)
	}
}

func TestSlotThatTheAgentDoesNotKnow(t *testing.T) {
	t.Parallel()
	p, say := fakeAgent(t)
	say(`{"slots": []}`)
	if _, err := p.slot(t.Context(), "eu/production/oms"); err == nil {
		t.Error("no error")
	}
}
