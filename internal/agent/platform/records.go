//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ErrHandedOver says that a platform changes nothing any more: it ends, and whoever asked
// may ask the next one.
var ErrHandedOver = errors.New("this agent ends and changes nothing any more")

// records guards the files of a data directory. Once sealed nothing is written: the files
// are the next agent's then, or somebody else's altogether.
type records struct {
	mu     sync.RWMutex
	sealed bool
}

// seal returns when the last write is done.
func (r *records) seal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
}

// write does a write, unless it is too late for it.
func (r *records) write(do func() error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.sealed {
		return errors.Join(ErrHandedOver, target.Errorf(target.ErrUnavailable, "%v", ErrHandedOver))
	}
	return do()
}

// seal ends all writing, and what only waits for something to write.
func (p *Platform) seal() {
	p.shut(ErrHandedOver)
	p.records.seal()
}

// save makes v the record at path.
func (p *Platform) save(path string, v any) error {
	return p.records.write(func() error { return store.Save(path, v) })
}

// writeFile replaces a file that is no record, and is a user's.
func (p *Platform) writeFile(path string, content []byte, mode fs.FileMode, u *process.User) error {
	uid, gid := owner(u)
	return p.records.write(func() error { return store.WriteFileFor(path, content, mode, uid, gid) })
}

// removeLeftover removes the folder of a record that is not there: what a crash left of a
// removal, or of a create that never began. One that holds anything of the kind of keep is
// neither, and losing a record must not lose that.
func removeLeftover(record string, keep ...string) error {
	dir := filepath.Dir(record)
	for _, pattern := range keep {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return fmt.Errorf("look for leftovers: %w", err)
		}
		if len(found) > 0 {
			return &store.BadRecordError{Path: record, Why: "it is missing, and what it describes is there, such as " + found[0]}
		}
	}
	return os.RemoveAll(dir)
}

// passage makes folders that others can pass through but not look into, whatever our umask.
func (p *Platform) passage(paths ...string) error {
	return p.records.write(func() error {
		for _, path := range paths {
			if err := p.dir.passage(path); err != nil {
				return fmt.Errorf("make folder: %w", err)
			}
		}
		return nil
	})
}

// passage makes a folder and those on the way to it, but never the data directory itself: one
// that was removed stays so.
func (l layout) passage(path string) error {
	below, err := filepath.Rel(string(l), path)
	if err != nil {
		return err
	}
	at := string(l)
	for part := range strings.SplitSeq(below, string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if err := os.Mkdir(at, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return os.Chmod(path, 0o711)
}

// Missing says whether the data directory has the record of this installation no more: there
// is none, or another one's.
func (p *Platform) Missing() bool {
	var there installation
	err := store.Load(p.dir.installation(), &there)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.installation == nil || p.installation.ID != there.ID
}

// Installed says whether a data directory has the record of an installation, sound or not.
func Installed(dir string) (bool, error) {
	_, err := os.Lstat(layout(dir).installation())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
