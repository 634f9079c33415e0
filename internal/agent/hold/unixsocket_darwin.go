package hold

import "fmt"

// shorten refuses what the kernel would refuse, with a message that names the limit.
func shorten(path string) (short string, release func(), err error) {
	if len(path) > pathLimit {
		return "", nil, fmt.Errorf("the path of the unix socket %s has %d bytes, macOS allows %d: "+
			"choose a data directory with a shorter path", path, len(path), pathLimit)
	}
	return path, func() {}, nil
}
