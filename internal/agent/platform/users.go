//go:build !windows

package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
)

// users are the unprivileged users of what we run, nil where we are unprivileged ourselves.
// The application's must not be the database server's, whose files it could read otherwise.
type users struct {
	application *process.User
	postgres    *postgres.User
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
			return users{&process.User{UID: uid, GID: gid}, server}, nil
		}
	}
	return users{}, fmt.Errorf("find an unprivileged user to run applications as (tried %v): %w", candidates, errors.Join(errs...))
}

// give makes a path the application user's.
func (u users) give(path string) error {
	if u.application == nil {
		return nil
	}
	return os.Chown(path, u.application.UID, u.application.GID)
}

// privateDir makes a folder that only the application user can look into.
func (u users) privateDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return u.give(path)
}
