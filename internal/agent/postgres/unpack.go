//go:build !windows

package postgres

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/ulikunitz/xz"
)

// unpackLimit bounds what an archive may unpack to, in bytes. The largest of
// the pinned ones needs a third of it.
const unpackLimit = 1 << 30

// unpack unpacks the .txz in the jar into dir, which it makes. Files become
// readable, and programs executable, for everybody: the server's user is not
// the one who unpacks. Nothing is written outside of dir.
func unpack(ctx context.Context, jar, dir string) (err error) {
	files, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	for _, file := range files.File {
		if path.Ext(file.Name) != ".txz" {
			continue
		}
		packed, err := file.Open()
		if err != nil {
			return err
		}
		defer packed.Close()
		decoder, err := xz.NewReader(packed)
		if err != nil {
			return fmt.Errorf("read %s: %w", file.Name, err)
		}
		return untar(ctx, io.LimitReader(decoder, unpackLimit), dir)
	}
	return errors.New("no .txz in it")
}

func untar(ctx context.Context, packed io.Reader, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Chmod(".", 0o755); err != nil {
		return err
	}
	for entries := tar.NewReader(packed); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := place(root, entry, entries); err != nil {
			return fmt.Errorf("unpack %q: %w", entry.Name, err)
		}
	}
}

// place writes one entry below root.
func place(root *os.Root, entry *tar.Header, content io.Reader) error {
	name := path.Clean(entry.Name)
	if name == "." {
		return nil
	}
	if !filepath.IsLocal(name) {
		return errors.New("leads outside")
	}
	if err := makeFolder(root, path.Dir(name)); err != nil {
		return err
	}
	switch entry.Typeflag {
	case tar.TypeDir:
		return makeFolder(root, name)
	case tar.TypeSymlink:
		if !filepath.IsLocal(path.Join(path.Dir(name), entry.Linkname)) || path.IsAbs(entry.Linkname) {
			return fmt.Errorf("link leads outside, to %q", entry.Linkname)
		}
		return root.Symlink(entry.Linkname, name)
	case tar.TypeReg:
		mode := fs.FileMode(0o644)
		if entry.FileInfo().Mode()&0o100 != 0 {
			mode = 0o755
		}
		file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Chmod(mode), file.Close())
	}
	return fmt.Errorf("unexpected kind of entry %q", entry.Typeflag)
}

// makeFolder makes a folder and those above it, open to everybody whatever
// the umask is.
func makeFolder(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if err := makeFolder(root, path.Dir(name)); err != nil {
		return err
	}
	if err := root.Mkdir(name, 0o755); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return root.Chmod(name, 0o755)
}
