//go:build !windows

package platform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestLogsAreReadWithoutSecrets(t *testing.T) {
	t.Parallel()
	p := newTestPlatform(t)
	s, _ := newTestSlot(t, p)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := target.StackSpec{Slot: s.id, Color: target.Green, SwapID: "swap", Definition: target.Definition{
		Release: "7", Components: map[string]target.Component{"api": {Secrets: map[string]string{"PASSWORD": secret}}},
	}}
	s.file.Seats[target.Green] = &seat{Spec: spec}
	st := s.newStack(spec)
	s.stacks[target.Green] = st
	i := newInstance(st, "api", 3)
	st.instances[i.key()] = i
	defer i.letGo()
	close(i.over) // it is not looked after
	path := s.files.instanceLog("oms", "swap", "api", 3)
	if err := errors.Join(p.passage(filepath.Dir(path)), os.WriteFile(path, []byte("first\nlogged in with hunter2\nlast\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	got, err := p.ReadLogs(t.Context(), s.id, "api", 2)
	want := []target.InstanceLog{{Color: target.Green, Release: "7", Index: 3, Lines: []string{"logged in with [redacted]", "last"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, lines := range []int{0, -1, maxReadLines + 1} {
		if _, err := p.ReadLogs(t.Context(), s.id, "api", lines); !errors.Is(err, target.ErrInvalid) {
			t.Errorf("%d lines: got %v, want ErrInvalid", lines, err)
		}
	}
	if got, err := p.ReadLogs(t.Context(), s.id, "other", 1); err != nil || len(got) > 0 {
		t.Errorf("a component that is not there: got %v, %v", got, err)
	}
}
