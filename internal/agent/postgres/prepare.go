//go:build !windows

package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	s.removeUnfinished()
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

// removeUnfinished removes what an initdb left whose agent was killed.
func (s *Server) removeUnfinished() {
	left, _ := filepath.Glob(filepath.Join(s.options.Dir, workPrefix+"*"))
	for _, folder := range left {
		if err := os.RemoveAll(folder); err != nil {
			// The initdb may have outlived the agent and still be writing there.
			s.log.Warn("unfinished data directory was not removed", "folder", folder, "error", err)
		}
	}
}

// initialise runs initdb in a folder beside the data directory and renames
// its result into place: a data directory is there as a whole or not at all.
func (s *Server) initialise(ctx context.Context) (err error) {
	work, err := os.MkdirTemp(s.options.Dir, workPrefix)
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	password, err := s.adminPassword()
	if err != nil {
		return err
	}
	runAs := s.options.RunAs
	secret, data := filepath.Join(work, "password"), filepath.Join(work, "data")
	if _, err := writeFile(secret, []byte(password+"\n"), runAs); err != nil {
		return err
	}
	if err := runAs.own(work); err != nil {
		return err
	}
	s.log.Info("making data directory", "folder", s.files.data(), "version", s.options.Binaries.Version)
	arguments := []string{
		"--pgdata=" + data, "--username=" + Administrator, "--pwfile=" + secret,
		"--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C", "--no-instructions",
	}
	if s.options.Binaries.Major >= 17 {
		// The same order of bytes as C, and upper and lower case beyond ASCII.
		arguments = append(arguments, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
	}
	if _, err := run(ctx, runAs, work, s.options.Binaries.path("initdb"), arguments...); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := os.Rename(data, s.files.data()); err != nil {
		return fmt.Errorf("put data directory into place: %w", err)
	}
	return syncFolder(s.options.Dir)
}
