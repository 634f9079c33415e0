//go:build !windows

package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile makes the file at path hold content with mode 0600, owned by
// owner (nil: by us), and tells whether that changed anything. A reader sees
// the old content or the new one, also after a crash.
func writeFile(path string, content []byte, owner *User) (changed bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read file: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix(path))
	if err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	err = errors.Join(err, owner.own(temporary.Name()), temporary.Sync(), temporary.Close())
	if err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	return true, syncFolder(filepath.Dir(path))
}

// syncFolder makes renames in dir durable.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
