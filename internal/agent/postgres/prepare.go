//go:build !windows

package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// VersionError says that a data directory was made by another major version
// than the binaries'. The data was not touched.
type VersionError struct {
	Dir      string
	Data     int
	Binaries Binaries
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the data in %s is of PostgreSQL %d, but the programs in %s are %s; nothing was touched: "+
		"install PostgreSQL %d and name its folder in local.postgres_bin_dir, or move the data to %d with pg_upgrade or pg_dump first",
		e.Dir, e.Data, e.Binaries.Dir, e.Binaries.Version, e.Data, e.Binaries.Major)
}

// prepare makes everything that a start needs: folder, password, port, data,
// certificate, configuration. Repeating it is harmless. changed tells whether
// a running server has to read its configuration again.
func (s *Server) prepare(ctx context.Context) (changed bool, err error) {
	if err := openFolders(s.options.Base, s.options.Dir, s.options.RunAs); err != nil {
		return false, err
	}
	if err := CheckReach(ctx, s.options.Dir, s.options.Binaries, s.options.RunAs); err != nil {
		return false, err
	}
	if err := s.removeUnfinished(ctx); err != nil {
		return false, err
	}
	made, err := s.madeData()
	if err != nil {
		return false, err
	}
	port, err := s.choosePort(made)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	s.status.Port = port
	s.mu.Unlock()
	if err := s.choosePassword(made); err != nil {
		return false, err
	}
	if !made {
		if err := s.initialise(ctx); err != nil {
			return false, err
		}
	}
	owner, err := s.owner()
	if err != nil {
		return false, err
	}
	return s.configure(port, owner)
}

// madeData tells whether the data directory is there, and refuses one that
// these binaries cannot run.
func (s *Server) madeData() (bool, error) {
	data := s.files.data()
	if _, err := os.Lstat(data); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("look at data directory: %w", err)
	}
	major, err := DataMajor(s.options.Dir)
	if err != nil {
		return false, err
	}
	if major == 0 {
		return false, fmt.Errorf("use data directory %s: it holds no PG_VERSION, so it is not PostgreSQL's; it was not touched, move it away", data)
	}
	if major != s.options.Binaries.Major {
		return false, &VersionError{Dir: data, Data: major, Binaries: s.options.Binaries}
	}
	return true, nil
}

// owner returns the user that the server runs as: the one who owns the data.
func (s *Server) owner() (*User, error) {
	if s.options.RunAs == nil {
		return nil, nil
	}
	owner, err := ownerOf(s.files.data())
	if err != nil {
		return nil, fmt.Errorf("look at data directory: %w", err)
	}
	if owner.UID == 0 {
		return nil, fmt.Errorf("use data directory %s: it belongs to root, and PostgreSQL refuses to run as root; chown -R it to %q",
			s.files.data(), s.options.RunAs.Name)
	}
	return owner, nil
}

// choosePassword makes the administrator's password before there is a server
// that would need it.
func (s *Server) choosePassword(made bool) error {
	_, err := os.Stat(s.files.password())
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look at administrator's password: %w", err)
	case made:
		return fmt.Errorf("find administrator's password: %s is missing while the data is there; put the file back", s.files.password())
	}
	_, err = writeFile(s.files.password(), []byte(rand.Text()+"\n"), nil)
	return err
}

// adminPassword returns the administrator's password.
func (s *Server) adminPassword() (string, error) {
	text, err := os.ReadFile(s.files.password())
	if err != nil {
		return "", fmt.Errorf("read administrator's password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
