package main

import (
	"strings"
	"testing"
)

func TestRelay(t *testing.T) {
	t.Parallel()
	const output = `Initializing the backend...
{"@message":"slipway_region.eu: Creating...","type":"apply_start"}
{"@message":"slipway_region.eu: Creation complete after 0s [id=eu]","type":"apply_complete"}
{"@message":"Warning: Deprecated","type":"diagnostic","diagnostic":{"severity":"warning","summary":"Deprecated","detail":""}}
{"@message":"Warning: Deprecated","type":"diagnostic","diagnostic":{"severity":"warning","summary":"Deprecated","detail":""}}
{"@message":"Error: Unable","type":"diagnostic","diagnostic":{"severity":"error","summary":"Unable to update slot","detail":"Slot \"oms\".\nIts tests failed.","address":"slipway_deployment_slot.oms"}}
`
	var out strings.Builder
	problems := workspace{narrator: newNarrator(&out)}.relay(strings.NewReader(output))
	if got, want := strings.Count(out.String(), "\n"), 2; got != want {
		t.Errorf("told %d lines, want %d:\n%s", got, want, &out)
	}
	if len(problems) != 1 {
		t.Fatalf("%d problems, want 1", len(problems))
	}
	want := "error: Unable to update slot (slipway_deployment_slot.oms)\n    Slot \"oms\".\n    Its tests failed."
	if got := refusal(problems).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
