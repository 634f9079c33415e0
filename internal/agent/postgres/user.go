//go:build !windows

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// User is the unprivileged user that a server runs as when we are root:
// PostgreSQL refuses to run as root itself. A nil *User means "as ourselves".
type User struct {
	Name     string
	UID, GID uint32
}

// DefaultRunAs returns the user that servers run as: nil unless we are root,
// then the user "postgres" if there is one, else "nobody".
func DefaultRunAs() (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		var unknown user.UnknownUserError
		switch {
		case errors.As(err, &unknown):
			continue
		case err != nil:
			return nil, fmt.Errorf("look up user %q: %w", name, err)
		}
		return parseUser(found)
	}
	return nil, errors.New(`find a user for PostgreSQL: it refuses to run as root, and this machine has neither a user "postgres" nor "nobody"; create one of them`)
}

func parseUser(found *user.User) (*User, error) {
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read uid of user %q: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read gid of user %q: %w", found.Username, err)
	}
	return &User{Name: found.Username, UID: uint32(uid), GID: uint32(gid)}, nil
}

// ownerOf returns the user who owns path.
func ownerOf(path string) (*User, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("read owner of %s: not offered by this system", path)
	}
	owner := &User{Name: strconv.FormatUint(uint64(stat.Uid), 10), UID: stat.Uid, GID: stat.Gid}
	if found, err := user.LookupId(owner.Name); err == nil {
		owner.Name = found.Username
	}
	return owner, nil
}

// credential is what os/exec needs to run a program as u. No supplementary
// groups are taken along.
func (u *User) credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID}
}

// own gives path to u.
func (u *User) own(path string) error {
	if u == nil {
		return nil
	}
	if err := os.Lchown(path, int(u.UID), int(u.GID)); err != nil {
		return fmt.Errorf("give %s to user %q: %w", path, u.Name, err)
	}
	return nil
}
