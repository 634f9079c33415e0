//go:build !windows

package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// searchPath is the PATH of everything that we start.
const searchPath = "/usr/local/bin:/usr/bin:/bin"

// Fingerprint implements target.Stacks: beside the definition, the content of each
// component's program counts.
func (p *Platform) Fingerprint(_ context.Context, d target.Definition) (string, error) {
	artifacts := map[string]string{}
	for name, c := range d.Expand().Components {
		sum, err := hashProgram(c.Command)
		if err != nil {
			return "", fmt.Errorf("component %q: %w", name, err)
		}
		artifacts[name] = sum
	}
	return d.Fingerprint(artifacts)
}

// hashProgram digests the file that a command runs. A file that is not there has a digest of
// its own: starting it will tell.
func hashProgram(command []string) (string, error) {
	if len(command) == 0 {
		return "none", nil
	}
	path := command[0]
	if !strings.Contains(path, "/") {
		for _, dir := range filepath.SplitList(searchPath) {
			if info, err := os.Stat(filepath.Join(dir, path)); err == nil && info.Mode().IsRegular() {
				path = filepath.Join(dir, path)
				break
			}
		}
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "missing", nil
	}
	if err != nil {
		return "", fmt.Errorf("read program: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "missing", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// CheckSlot implements target.Stacks. This target can do whatever a policy may ask for.
func (p *Platform) CheckSlot(_ context.Context, s target.Slot) error {
	e, err := p.environment(s.Environment)
	if err != nil {
		return err
	}
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, target.Errorf(target.ErrInvalid, format, args...))
	}
	program := func(path, name, image string, command []string, secrets map[string]string) {
		if image != "" {
			refuse("%s: image %q can't run on the local target, which starts programs: set command", path, image)
		} else if len(command) == 0 {
			refuse("%s: nothing to run: set command", path)
		} else if why := unusable(command[0]); why != "" {
			refuse("%s.command: %q can't be started: %s", path, name, why)
		}
		for _, name := range target.SortedKeys(secrets) {
			if _, err := readSecret(secrets[name]); err != nil {
				refuse("%s.secrets.%s: %s", path, name, err)
			}
		}
	}
	d := s.Definition.Expand()
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		program("components."+name, name, c.Image, c.Command, c.Secrets)
	}
	if t := d.Migrate; t != nil {
		program("migrate", "migrate", t.Image, t.Command, t.Secrets)
	}
	if t := d.TestSuite; t != nil {
		program("test_suite", "test_suite", t.Image, t.Command, t.Secrets)
		if t.Account != "" && !e.hasDatabase(t.Account) {
			refuse("test_suite.account: account %q has no database in environment %q", t.Account, s.Environment)
		}
	}
	return errors.Join(errs...)
}

// unusable says why a program can't be run by anybody, as far as can be told before it is
// tried as the user that it is for.
func unusable(program string) string {
	path, dirs := program, []string{""}
	if !strings.Contains(program, "/") {
		dirs = filepath.SplitList(searchPath)
	}
	for _, dir := range dirs {
		if dir != "" {
			path = filepath.Join(dir, program)
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			return fmt.Sprintf("%s is not a program", path)
		case info.Mode().Perm()&0o111 == 0:
			return fmt.Sprintf("%s is not executable: chmod +x it", path)
		default:
			return ""
		}
	}
	if path == program {
		return fmt.Sprintf("%s does not exist", program)
	}
	return fmt.Sprintf("there is no program %q in %s", program, searchPath)
}

// secretError is a secret's file that can't be used.
type secretError struct{ why string }

func (e *secretError) Error() string { return e.why }

// readSecret reads a file that nobody but its owner can read.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", &secretError{fmt.Sprintf("expected the path of a file of mode 0600: %v", err)}
	case !info.Mode().IsRegular():
		return "", &secretError{fmt.Sprintf("%s is not a file", path)}
	case info.Mode().Perm()&0o077 != 0:
		return "", &secretError{fmt.Sprintf("%s has mode %04o and others can read it: chmod 600 it", path, info.Mode().Perm())}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", &secretError{fmt.Sprintf("can't be read: %v", err)}
	}
	secret := strings.TrimSuffix(string(text), "\n")
	if secret == "" {
		return "", &secretError{fmt.Sprintf("%s is empty", path)}
	}
	return secret, nil
}
