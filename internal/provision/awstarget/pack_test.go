package awstarget

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestDocumentsComeBackAsTheyWereStored(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"", "{}", strings.Repeat("a", plainRow), strings.Repeat("ä", plainRow)} {
		v, err := documentValue(want)
		if err != nil {
			t.Fatal(err)
		}
		if size := documentSize(v); size > plainRow {
			t.Errorf("%d bytes of text take %d bytes", len(want), size)
		}
		got, err := documentOf(v)
		if err != nil || got != want {
			t.Errorf("%d bytes came back as %d (%v)", len(want), len(got), err)
		}
	}
}

func TestAJournalThatIsTooLongForARowIsThinned(t *testing.T) {
	t.Parallel()
	lines := make([]string, 20000)
	for i := range lines {
		lines[i] = rand.Text()
	}
	id := target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
	j := target.Journal{Slot: id, Swap: target.Swap{
		ID: "s", Release: "2", Samples: make([]target.Sample, target.MaxSamples),
		Tasks: []target.TaskRecord{{Kind: target.TaskTest, LastLines: lines}},
	}}
	v, err := fitting(key{"journal-whole", "s"}, j)
	if err != nil {
		t.Fatal(err)
	}
	if size := documentSize(v); size > maxRow || size < maxRow/4 {
		t.Errorf("it takes %d bytes, want most of %d", size, maxRow)
	}
	document, err := documentOf(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode[target.Journal](row{version: 1, document: document})
	if err != nil {
		t.Fatal(err)
	}
	kept := got.Swap.Tasks[0].LastLines
	if diff := cmp.Diff(lines[len(lines)-len(kept):], kept); diff != "" || len(kept) == 0 {
		t.Errorf("%d lines are kept, want the last ones (-want +got):\n%s", len(kept), diff)
	}
	if got.Swap.Release != "2" || len(got.Swap.Samples) == 0 {
		t.Errorf("got release %q and %d samples", got.Swap.Release, len(got.Swap.Samples))
	}
	if len(j.Swap.Tasks[0].LastLines) != len(lines) {
		t.Error("the journal that was given is thinned too")
	}
}
