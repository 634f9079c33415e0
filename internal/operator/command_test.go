package operator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const slotID = "eu/production/oms"

func TestWrongCallsAreRefusedWithTheUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"status", "x"}, "it takes no argument"},
		{[]string{"watch"}, "it takes SLOT"},
		{[]string{"logs", slotID}, "it takes SLOT COMPONENT"},
		{[]string{"rollback", slotID}, "it needs --reason"},
		{[]string{"logs", "--lines", "0", slotID, "api"}, "out of range"},
		{[]string{"history", "--nonsense", slotID}, "flag provided but not defined"},
		{[]string{"history", "eu"}, `"eu"`},
		{[]string{"status", "--target", "moon"}, "moon"},
		{[]string{"status", "--region", "eu-central-1"}, "--region is of the aws target"},
		{[]string{"status", "--target", "aws", "--data-dir", "x"}, "--data-dir is of the local target"},
		{[]string{"status", "--target", "aws", "--assume-role", "admin"}, "--assume-role: \"admin\" is not the ARN of a role"},
		{[]string{"status", "--target", "aws", "--assume-role-external-id", "x"}, "there is none"},
		{[]string{"status", "--target", "aws", "--endpoints", "kms"}, "NAME=VALUE"},
		{[]string{"status", "--target", "aws", "--max-retries", "5x"}, "5x"},
		{[]string{"rollback", slotID, "--reason", "red \x1b[31m"}, "control character"},
		{[]string{"report", slotID, "--json", "--output", "x"}, "one of the two"},
	} {
		w.says(2, c.args, c.says, "Usage: terraform-provider-slipway "+c.args[0])
	}
	w.says(1, []string{"watch", slotID}, slotID)
	w.says(0, []string{"status", "--help"}, "Usage: terraform-provider-slipway status [OPTIONS]")
}

func TestStatusShowsWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1", "2")
	w.says(0, []string{"status"}, "Frankfurt", "eu/production", slotID, "2 1/1", "1 1/1, 10m0s left")
	_, out, _ := w.call("status", "--json")
	var v platformView
	w.ok(json.Unmarshal([]byte(out), &v))
	if len(v.Slots) != 1 || v.Slots[0].Live.Release != "2" || v.Slots[0].Fallback.Release != "1" || *v.Slots[0].Fallback.LeftSeconds != 600 {
		t.Errorf("got %s", out)
	}
}

func TestStatusShowsWhatIsBeingRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1", "2")
	w.EndEnvironment(production)
	w.EndRegion("eu")
	w.says(0, []string{"status"}, "EU            its removal is not finished", "20443  its removal is not finished", slotID, "2 1/1")
	w.says(0, []string{"history", slotID}, "live")
}

func TestRollbackGoesBackAndSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1", "2")
	w.says(0, []string{"rollback", slotID, "--reason", "orders were lost"}, "Release 1 of slot", "Release 2 is on hold", "above 0")
	w.says(0, []string{"status"}, "2, by operator kim")
	w.says(0, []string{"history", slotID}, "2     1   rolled_back", "orders were lost", "operator kim")
	w.says(1, []string{"rollback", slotID, "--reason", "again"}, "can't be rolled back")
	rec, err := w.GetSlot(t.Context(), oms)
	w.ok(err)
	if rec.Meta.Owner != "the configuration" {
		t.Errorf("the slot belongs to %q after a rollback, want that its owner stays", rec.Meta.Owner)
	}
}

func TestPromoteBringsTheWaitingReleaseLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	manual := func(p *target.Policy) { p.Approval, p.ApprovalTimeoutSeconds = target.ApprovalManual, 600 }
	w.live("1")
	w.says(1, []string{"promote", slotID}, "waits for approval")
	_, err := w.UpdateSlot(t.Context(), slot("2", manual))
	w.ok(err)
	w.says(1, []string{"promote", slotID, "--release", "3"}, "release 2 waits for approval, not release 3")
	w.says(0, []string{"promote", slotID}, "Release 2: verifying", "Release 2: switching", "Release 2: watching with 100 percent", "Release 2 of slot", "is live")
	rec, err := w.GetSlot(t.Context(), oms)
	w.ok(err)
	if a := rec.Swap.Approved; a == nil || a.By != "operator kim" || rec.Meta.Owner != "the configuration" {
		t.Errorf("approved %+v, owner %q", a, rec.Meta.Owner)
	}
}

// A baking release has all of the traffic, and nobody has to guess it.
func TestTheShareIsShownUntilTheSwapEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phase   target.Phase
		serving target.Color
		percent int
		want    int
	}{
		{target.PhaseTesting, target.Blue, 0, 0},
		{target.PhaseWatching, target.Blue, 25, 25},
		{target.PhaseWatching, target.Green, 0, 100},
		{target.PhaseLive, target.Green, 0, 0},
	} {
		s := provision.StateOf(
			target.SlotRecord{Swap: &target.Swap{ID: "s", Phase: c.phase, From: target.Blue, To: target.Green}},
			target.Observation{Serving: c.serving, Percent: c.percent},
		)
		if got := viewOf(s).Percent; got != c.want {
			t.Errorf("%s with %s serving: got %d percent, want %d", c.phase, c.serving, got, c.want)
		}
	}
}

func TestReportIsWrittenForAnySwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1", "2")
	journals, err := w.Provisioner.ListJournals(t.Context(), oms)
	w.ok(err)
	if len(journals) != 2 {
		t.Fatalf("there are %d journals, want 2", len(journals))
	}
	path := filepath.Join(t.TempDir(), "page.html")
	for _, j := range journals {
		w.says(0, []string{"report", slotID, "--swap", j.Swap.ID, "--output", path}, path)
		page, err := os.ReadFile(path)
		w.ok(err)
		if !strings.Contains(string(page), j.Swap.ID) {
			t.Errorf("the page is not about swap %s", j.Swap.ID)
		}
	}
	w.says(1, []string{"report", slotID, "--swap", "none"}, "history "+slotID)
	w.says(1, []string{"report", slotID, "--output", filepath.Join(path, "below")}, "there is no folder")
}

func TestLogsNameTheComponentsThereAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1")
	w.says(0, []string{"logs", slotID, "api"}, "== api 1, instance 1")
	w.says(1, []string{"logs", slotID, "web"}, `has a component "web"`, "expected one of api")
}
