//go:build !windows

package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// layout names the files of a data directory:
//
//	installation.json
//	authority/                        the local certificate authority
//	cache/                            downloaded PostgreSQL programs
//	log/                              logs; they stay when all else goes
//	regions/eu.json
//	environments/eu.production/       environment.json and
//	  postgres/                       its database server
//	  accounts/                       the directory that running stacks read
//	  databases/acme.json             records of account databases
//	  slots/oms/                      slot.json, journals, a folder per stack and task
type layout string

func (l layout) in(parts ...string) string {
	return filepath.Join(append([]string{string(l)}, parts...)...)
}
func (l layout) installation() string      { return l.in("installation.json") }
func (l layout) authority() string         { return l.in("authority") }
func (l layout) cache() string             { return l.in("cache") }
func (l layout) regions() string           { return l.in("regions") }
func (l layout) region(name string) string { return l.in("regions", name+".json") }
func (l layout) environments() string      { return l.in("environments") }
func (l layout) environment(id target.EnvironmentID) environmentLayout {
	return environmentLayout{l.in("environments", id.Region+"."+id.Name), l.in("log", id.Region+"."+id.Name)}
}

// environmentLayout names the files of one environment.
type environmentLayout struct{ dir, logs string }

func (l environmentLayout) record() string   { return filepath.Join(l.dir, "environment.json") }
func (l environmentLayout) postgres() string { return filepath.Join(l.dir, "postgres") }
func (l environmentLayout) postgresLog() string {
	return filepath.Join(l.logs, "postgres.log")
}
func (l environmentLayout) cluster(account string) string {
	return filepath.Join(l.dir, "clusters", account)
}
func (l environmentLayout) clusterLog(account string) string {
	return filepath.Join(l.logs, "postgres-"+account+".log")
}
func (l environmentLayout) accounts() string  { return filepath.Join(l.dir, "accounts") }
func (l environmentLayout) databases() string { return filepath.Join(l.dir, "databases") }
func (l environmentLayout) database(account string) string {
	return filepath.Join(l.dir, "databases", account+".json")
}
func (l environmentLayout) slots() string           { return filepath.Join(l.dir, "slots") }
func (l environmentLayout) slot(name string) string { return filepath.Join(l.dir, "slots", name) }
func (l environmentLayout) slotRecord(name string) string {
	return filepath.Join(l.slot(name), "slot.json")
}
func (l environmentLayout) stack(slot, swapID string) string {
	return filepath.Join(l.slot(slot), "stacks", swapID)
}
func (l environmentLayout) journals(slot string) string {
	return filepath.Join(l.slot(slot), "journals")
}
func (l environmentLayout) task(slot, key string) string {
	return filepath.Join(l.slot(slot), "tasks", key)
}
func (l environmentLayout) slotLogs(slot string) string { return filepath.Join(l.logs, slot) }
func (l environmentLayout) instanceLog(slot, swapID, component string, index int) string {
	return filepath.Join(l.slotLogs(slot), swapID, component+"-"+strconv.Itoa(index)+".log")
}
func (l environmentLayout) taskLog(slot, key string) string {
	return filepath.Join(l.slotLogs(slot), key+".log")
}

// environmentOf reads the id from a folder's name.
func environmentOf(name string) (target.EnvironmentID, error) {
	return target.ParseEnvironmentID(strings.Replace(name, ".", "/", 1))
}

// names lists the files in dir that end in suffix, without it. No dir is no names.
func names(dir, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && !strings.HasPrefix(name, ".") {
			out = append(out, name)
		}
	}
	return out, err
}

func dirNames(dir string) ([]string, error) { return names(dir, "") }

func lower(s string) string { return strings.ToLower(s) }
