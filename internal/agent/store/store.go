// Package store keeps durable records, one file each. A record is replaced whole or not at
// all, and one that is torn, altered or written by a later version is refused, never taken
// for an empty one.
package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// format is the version of the envelope and of what is in it.
const format = 1

// envelope is what is in a file: the record and its SHA-256.
type envelope struct {
	Format int             `json:"format"`
	SHA256 string          `json:"sha256"`
	Record json.RawMessage `json:"record"`
}

// BadRecordError says that a file is there and can't be trusted.
type BadRecordError struct {
	Path string
	Why  string
}

func (e *BadRecordError) Error() string {
	return fmt.Sprintf("the record %s can't be used: %s. It was left as it is: restore it from a backup, or move it away if what it describes may be forgotten; the agent then sees it by itself", e.Path, e.Why)
}

// Load reads the record at path into v. A missing file is fs.ErrNotExist; anything else that
// is wrong with it is a *BadRecordError.
func Load(path string, v any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	var e envelope
	if err := decode(text, &e); err != nil {
		return &BadRecordError{path, "it is torn or not a record (" + err.Error() + ")"}
	}
	if e.Format != format {
		return &BadRecordError{path, fmt.Sprintf("it has format %d and this version knows format %d", e.Format, format)}
	}
	if got := digest(e.Record); got != e.SHA256 {
		return &BadRecordError{path, "its content does not match its checksum"}
	}
	if err := decode(e.Record, v); err != nil {
		return &BadRecordError{path, "it holds what this version does not know (" + err.Error() + ")"}
	}
	return nil
}

// Save makes v the record at path, with mode 0600. Readers see the old record or the new one,
// also after a crash.
func Save(path string, v any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	text, err := json.Marshal(envelope{format, digest(record), record})
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	return WriteFile(path, text, 0o600)
}

// WriteFile replaces the file at path durably and whole.
func WriteFile(path string, content []byte, mode fs.FileMode) error {
	return WriteFileFor(path, content, mode, -1, -1)
}

// WriteFileFor is WriteFile for a file that belongs to another user and group from its first
// moment on; -1 leaves either our own.
func WriteFileFor(path string, content []byte, mode fs.FileMode, uid, gid int) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close(), os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(content); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Chown(uid, gid); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return errors.Join(f.Close(), SyncDir(dir))
}

// SyncDir makes what was created in, renamed into or removed from a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
