package hold

import (
	"fmt"
	"os"
	"path/filepath"
)

// shorten returns a name for the path that fits into the kernel's field, valid until release: a long
// one is reached through a descriptor of its directory.
func shorten(path string) (short string, release func(), err error) {
	if len(path) <= pathLimit {
		return path, func() {}, nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, fmt.Errorf("open the directory of a unix socket: %w", err)
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path))
	return short, func() { _ = folder.Close() }, nil
}
