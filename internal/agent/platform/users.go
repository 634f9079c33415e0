//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
)

// users are the unprivileged users of what we run, nil where we are unprivileged ourselves.
type users struct {
	// ids are those of environments and test suites.
	ids *identities
	// shared is who applications ran as before environments had ids of their own. It must not
	// be the database server's user, whose files it could read otherwise.
	shared   *process.User
	postgres *postgres.User
}

// candidates are users that every Unix has, in the order of preference.
var candidates = []string{"nobody", "daemon", "bin"}

func findUsers() (users, error) {
	if os.Geteuid() != 0 {
		return users{}, nil
	}
	server, err := postgres.DefaultRunAs()
	if err != nil {
		return users{}, err
	}
	var errs []error
	for _, name := range candidates {
		u, err := user.Lookup(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != int(server.UID) && uid != 0 {
			return users{newIdentities(usedOnMachine), &process.User{UID: uid, GID: gid}, server}, nil
		}
	}
	return users{}, fmt.Errorf("find an unprivileged user to run applications as (tried %v): %w", candidates, errors.Join(errs...))
}

// owner is a user's ids for chown; those of nobody leave things as they are.
func owner(u *process.User) (uid, gid int) {
	if u == nil {
		return -1, -1
	}
	return u.UID, u.GID
}

// privateDir makes a folder that only the user can look into.
func privateDir(path string, u *process.User) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	uid, gid := owner(u)
	return os.Chown(path, uid, gid)
}

// giveTree gives a folder with all that is in it to a user; no folder is nothing to give. No
// process may run that could change it meanwhile.
func giveTree(path string, u *process.User) error {
	uid, gid := owner(u)
	err := filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
