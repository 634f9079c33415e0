package provider_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// warnedAt are the attributes that warnings are about; errors fail the test.
func (d diagnostics) warnedAt(t *testing.T) []string {
	t.Helper()
	if d.errors() {
		t.Fatalf("got %s", d)
	}
	var at []string
	for _, x := range d {
		at = append(at, x.Attribute.String())
	}
	slices.Sort(at)
	return at
}

// fresh is l at the beginning of another plan.
func fresh(l *lab) *lab {
	l.configure()
	return l
}

func TestPlanWarnsOfWhatANewStackWouldNotFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	program, plain, open, closed := file("app-1", 0o700), file("plain", 0o600), file("open", 0o644), file("closed", 0o600)
	template := filepath.Join(dir, "app-{release}")
	const api = `AttributeName("components").ElementKeyString("api").`
	for name, c := range map[string]struct {
		change map[string]any
		want   []string
	}{
		"all is there":                       {components("api", set{"command": []any{template}, "secrets": set{"A": closed}}), nil},
		"a name that is searched for":        {components("api", set{"command": []any{"nowhere-to-be-found"}}), nil},
		"a release that is not there":        {with(components("api", set{"command": []any{template}}), set{"release": "2"}), []string{api + `AttributeName("command").ElementKeyInt(0)`}},
		"a program that can't be run":        {components("api", set{"command": []any{plain}}), []string{api + `AttributeName("command").ElementKeyInt(0)`}},
		"a program that is a directory":      {components("api", set{"command": []any{dir}}), []string{api + `AttributeName("command").ElementKeyInt(0)`}},
		"a migration that is not there":      {set{"migrate": set{"command": []any{dir + "/none"}}}, []string{`AttributeName("migrate").AttributeName("command").ElementKeyInt(0)`}},
		"a suite that is not there":          {set{"test_suite": set{"command": []any{dir + "/none"}}}, []string{`AttributeName("test_suite").AttributeName("command").ElementKeyInt(0)`}},
		"a secret that is not there":         {components("api", set{"secrets": set{"A": dir + "/none"}}), []string{api + `AttributeName("secrets").ElementKeyString("A")`}},
		"a secret that everybody can read":   {components("api", set{"secrets": set{"A": open}}), []string{api + `AttributeName("secrets").ElementKeyString("A")`}},
		"a program that is not known yet":    {components("api", set{"command": []any{unknown{}}}), nil},
		"a release that is not known yet":    {with(components("api", set{"command": []any{template}}), set{"release": unknown{}}), nil},
		"a program that is there in release": {with(components("api", set{"command": []any{program}}), set{"release": "2"}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := newWorld(t).lab(nil)
			if got := l.plan(l.nothing("deployment_slot"), with(aSlot(), c.change)).diags.warnedAt(t); !slices.Equal(got, c.want) {
				t.Errorf("warned at %q, want %q", got, c.want)
			}
		})
	}
}

// TestPlanLooksForProgramsOfNewStacksOnly: a stack that stands needs its files no more than
// the plan of nothing does.
func TestPlanLooksForProgramsOfNewStacksOnly(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	l.made("region", aRegion())
	l.made("environment", anEnvironment())
	dir := t.TempDir()
	program := filepath.Join(dir, "app")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	config := with(aSlot(), components("api", set{"command": []any{program}}))
	slot := l.made("deployment_slot", config)
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if got := fresh(l).plan(slot, config).diags.warnedAt(t); len(got) > 0 {
		t.Errorf("a plan of nothing warns at %q", got)
	}
	if got := fresh(l).plan(slot, with(config, set{"tags": set{"a": "b"}})).diags.warnedAt(t); len(got) > 0 {
		t.Errorf("a plan of another tag warns at %q", got)
	}
	if got := fresh(l).plan(slot, with(config, set{"release": "2"})).diags.warnedAt(t); len(got) != 1 {
		t.Errorf("a plan of a new release warns at %q, want it at the program", got)
	}
}

func TestPlanWarnsOfPortsThatAreTaken(t *testing.T) {
	t.Parallel()
	asked := 0
	taken := func(_ context.Context, address string, port int) bool {
		asked++
		return address == "127.0.0.1" && port == 10443
	}
	w := newWorld(t)
	l := w.lab(nil, provider.WithPorts(taken))
	l.made("region", aRegion())
	on := func(port any) map[string]any {
		return with(anEnvironment(), set{"network": set{"https_port": port, "preview_port": 10444}})
	}
	want := []string{`AttributeName("network").AttributeName("https_port")`}
	if got := fresh(l).plan(l.nothing("environment"), on(10443)).diags.warnedAt(t); !slices.Equal(got, want) {
		t.Errorf("a new environment warns at %q, want %q", got, want)
	}
	if got := fresh(l).plan(l.nothing("environment"), on(unknown{})).diags.warnedAt(t); len(got) > 0 {
		t.Errorf("an environment whose port is not known yet warns at %q", got)
	}
	o := l.made("environment", on(10445))
	if got := fresh(l).plan(o, on(10443)).diags.warnedAt(t); !slices.Equal(got, want) {
		t.Errorf("a changed environment warns at %q, want %q", got, want)
	}
	before := asked
	if got := fresh(l).plan(o, on(10445)).diags.warnedAt(t); len(got) > 0 || asked != before {
		t.Errorf("a plan of nothing warns at %q and looked at %d ports", got, asked-before)
	}
	// What stands on a port of this target's environments is this target's own.
	quiet := w.lab(nil)
	quiet.changed(o, on(10443))
	if got := fresh(l).plan(o, on(10443)).diags.warnedAt(t); len(got) > 0 {
		t.Errorf("the port of the environment itself warns at %q", got)
	}
}
