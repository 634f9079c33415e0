// Package internal_test holds the floors of the repository in place.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/slipway-platform/terraform-provider-slipway"

// floors says which packages of this module a package may import besides those of its own
// folder. Imports point only downwards:
//
//	main → provider, agent, operator → targets, provision → swap → decide → judge → target, wait
//
// "/..." stands for a folder with everything under it. Tests are exempt: the tests of an
// upper floor may use whatever they need.
var floors = map[string][]string{
	"":         {"provider", "internal/agent", "internal/operator"},
	"provider": {"internal/provision", "internal/provision/awstarget", "internal/provision/geo", "internal/provision/swap", "internal/provision/target", "internal/targets", "internal/agentapi", "internal/wait"},

	"internal/operator": {"internal/provision", "internal/provision/awstarget", "internal/provision/target", "internal/targets", "internal/wait"},
	"internal/targets":  {"internal/provision/awstarget", "internal/provision/localtarget", "internal/provision/target", "internal/agentapi"},

	"internal/provision":             {"internal/provision/geo", "internal/provision/swap", "internal/provision/target", "internal/wait"},
	"internal/provision/swap":        {"internal/provision/swap/decide", "internal/provision/swap/journal", "internal/provision/swap/judge", "internal/provision/swap/lease", "internal/provision/target", "internal/wait"},
	"internal/provision/geo":         nil,
	"internal/provision/target":      nil,
	"internal/provision/targettest":  {"internal/provision/target", "internal/wait"},
	"internal/provision/memtarget":   {"internal/provision/target", "internal/wait"},
	"internal/provision/accountdb":   {"internal/provision/target"},
	"internal/provision/localtarget": {"internal/provision/accountdb", "internal/provision/target", "internal/wait", "internal/agentapi"},

	"internal/provision/swap/decide":  {"internal/provision/swap/judge", "internal/provision/target"},
	"internal/provision/swap/journal": {"internal/provision/swap/judge", "internal/provision/target"},
	"internal/provision/swap/judge":   {"internal/provision/target"},
	"internal/provision/swap/lease":   {"internal/provision/target", "internal/wait"},

	"internal/provision/awstarget":         {"internal/provision/accountdb", "internal/provision/target", "internal/wait"},
	"internal/provision/awstarget/awstest": {"internal/agent/postgres", "internal/agent/postgres/postgrestest"}, // tests only
	"internal/provision/awstarget/rights":  nil,                                                                 // tests and the generator only

	"internal/agentapi":       {"internal/agent/hold", "internal/provision/target", "internal/wait"},
	"internal/agent/...":      {"internal/agent/...", "internal/agentapi", "internal/provision/accountdb", "internal/provision/target", "internal/wait"},
	"internal/agent/hold":     nil,
	"internal/wait":           nil,
	"internal/acceptance/...": nil,
	"internal":                nil, // this test
}

// outside says who may import what is not ours; everybody may import the rest.
var outside = map[string][]string{
	"github.com/hashicorp/terraform-plugin-": {"", "provider"},
	"github.com/aws/":                        {"internal/provision/awstarget", "internal/provision/awstarget/awstest"},
}

func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := inside(p.ImportPath)
		floor, ok := floorOf(name)
		if !ok {
			t.Errorf("package %q is on no floor: add it to the table", name)
			continue
		}
		seen[floor] = true
		for _, path := range p.Imports {
			if path == module || strings.HasPrefix(path, module+"/") {
				if to := inside(path); !slices.ContainsFunc(floors[floor], func(allowed string) bool { return covers(allowed, to) }) {
					t.Errorf("package %q imports %q: its floor allows %q", name, to, floors[floor])
				}
				continue
			}
			for prefix, allowed := range outside {
				if strings.HasPrefix(path, prefix) && !slices.Contains(allowed, name) {
					t.Errorf("package %q imports %q, which only %q may", name, path, allowed)
				}
			}
		}
	}
	for floor := range floors {
		if !seen[floor] && floor != "" {
			t.Logf("there is no package on floor %q", floor)
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// packages are those of this module, without their tests, as they are built everywhere.
func packages(t *testing.T) []goPackage {
	t.Helper()
	var all []goPackage
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "./...")
		cmd.Dir, cmd.Stderr = "..", os.Stderr
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("list packages for %s: %v", system, err)
		}
		for d := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p goPackage
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
	}
	if len(all) < 3*10 {
		t.Fatalf("found %d packages only", len(all))
	}
	return all
}

// inside is an import path below the module, "" for the module itself.
func inside(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

// floorOf is the entry of the table for a package: the longest that covers it.
func floorOf(name string) (string, bool) {
	best, ok := "", false
	for floor := range floors {
		if covers(floor, name) && (!ok || len(floor) > len(best)) {
			best, ok = floor, true
		}
	}
	return best, ok
}

// covers says whether an entry of the table speaks of a package.
func covers(entry, name string) bool {
	folder, whole := strings.CutSuffix(entry, "/...")
	return name == folder || whole && strings.HasPrefix(name, folder+"/")
}

func TestTheTableTellsFloorsApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{"internal/agent/proxy", "internal/agent/..."},
		{"internal/agent", "internal/agent/..."},
		{"internal/agent/hold", "internal/agent/hold"},
		{"internal/provision/swap", "internal/provision/swap"},
		{"internal/elsewhere", "none"},
		{"internal/agentapi", "internal/agentapi"},
		{"internal/provision/swap/deeper", "none"},
	} {
		got, ok := floorOf(c.name)
		if !ok {
			got = "none"
		}
		if got != c.want {
			t.Errorf("package %q is on floor %q, want %q", c.name, got, c.want)
		}
	}
}
