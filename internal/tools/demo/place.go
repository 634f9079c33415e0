package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// providerVersion is what the demo's build of the provider calls itself.
const providerVersion = "0.1.0"

// longestBase keeps paths short enough for unix sockets, which have room for about 100 characters.
const longestBase = 60

// place is the folder of the demo. Nothing of it is anywhere else:
//
//	app/     the releases of the application
//	mirror/  the provider, where Terraform looks for it
//	work/    the configuration and its state
//	data/    the platform itself
type place struct{ dir string }

func (p place) app() string  { return filepath.Join(p.dir, "app") }
func (p place) work() string { return filepath.Join(p.dir, "work") }
func (p place) data() string { return filepath.Join(p.dir, "data") }
func (p place) log() string  { return filepath.Join(p.dir, "terraform.log") }
func (p place) rc() string   { return filepath.Join(p.dir, "terraform.rc") }
func (p place) ca() string   { return filepath.Join(p.dir, "ca.pem") }
func (p place) lock() string { return filepath.Join(p.dir, "demo.lock") }

func (p place) mirror() string { return filepath.Join(p.dir, "mirror") }
func (p place) provider() string {
	return filepath.Join(p.mirror(), "registry.terraform.io/slipway-platform/slipway", providerVersion,
		runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-slipway_v"+providerVersion)
}

// choosePlace takes $SLIPWAY_DEMO_DIR, else a folder of this user in the temporary folder.
func choosePlace() (place, error) {
	if dir := os.Getenv("SLIPWAY_DEMO_DIR"); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return place{}, fmt.Errorf("read SLIPWAY_DEMO_DIR: %w", err)
		}
		return place{dir}, nil
	}
	base := os.TempDir()
	if len(base) > longestBase || os.Getuid() == 0 && !openToAll(base) {
		base = "/tmp"
	}
	return place{filepath.Join(base, "slipway-demo-"+strconv.Itoa(os.Getuid()))}, nil
}

// openToAll says whether every user can pass through dir. Where the demo runs as root, the
// application and PostgreSQL run as a user without rights.
func openToAll(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// used says whether a demo was here before.
func (p place) used() bool { return isThere(p.lock()) }

// check refuses a folder that somebody else made or can write to, since programs are run
// from it, and one that is not the demo's, since the demo removes it.
func (p place) check() error {
	info, err := os.Lstat(p.dir)
	if err != nil {
		return fmt.Errorf("look at the demo's folder: %w", err)
	}
	stat, _ := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is in the way: it is no folder; remove it or set SLIPWAY_DEMO_DIR", p.dir)
	case stat == nil || int(stat.Uid) != os.Getuid():
		return fmt.Errorf("%s belongs to another user: set SLIPWAY_DEMO_DIR to a folder of your own", p.dir)
	case os.Getuid() == 0 && info.Mode().Perm()&0o001 == 0:
		return fmt.Errorf("%s can not be entered by other users, and the application runs as one of them: chmod 755 it", p.dir)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others can write to %s: remove it or set SLIPWAY_DEMO_DIR", p.dir)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("look at the demo's folder: %w", err)
	}
	if _, err := os.Stat(p.lock()); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s has other things in it than a demo's: set SLIPWAY_DEMO_DIR to an empty folder", p.dir)
	}
	return nil
}

// take makes the folder if need be and keeps other demos out of it until unlock is called.
func (p place) take() (unlock func(), err error) {
	if above := filepath.Dir(p.dir); os.Getuid() == 0 && !openToAll(above) {
		return nil, fmt.Errorf("%s can not be entered by other users, and the application runs as one of them: set SLIPWAY_DEMO_DIR to another folder", above)
	}
	if err := os.Mkdir(p.dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(p.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the demo's folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another demo runs in %s: wait for its end", p.dir), lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}
