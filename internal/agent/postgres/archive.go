//go:build !windows

package postgres

import (
	"path/filepath"
	"runtime"
)

// archiveVersion is the version of the pinned archives. They are the builds
// of the zonky project, a jar (zip) with one .txz in it; they hold the server
// alone, no psql and no pg_dump.
const archiveVersion = "18.6.0"

// archiveMajor is archiveVersion's major.
const archiveMajor = 18

// archive is one pinned file of the Maven repository.
type archive struct {
	// platform is the last part of the artifact's name, "" if none is offered.
	platform string
	// size in bytes and SHA-256 in hexadecimal are those of the jar.
	size   int64
	sha256 string
}

// path is the archive's address below the repository's.
func (a archive) path() string {
	artifact := "embedded-postgres-binaries-" + a.platform
	return "io/zonky/test/postgres/" + artifact + "/" + archiveVersion + "/" + artifact + "-" + archiveVersion + ".jar"
}

// folder is where the unpacked archive stands below the cache folder.
func (a archive) folder() string {
	return "postgresql-" + archiveVersion + "-" + a.platform
}

// pinnedArchive returns the archive for this machine.
func pinnedArchive() archive {
	musl, _ := filepath.Glob("/lib/ld-musl-*.so.1")
	glibc, _ := filepath.Glob("/lib*/ld-linux-*.so.*")
	return archiveFor(runtime.GOOS, runtime.GOARCH, len(musl) > 0 && len(glibc) == 0)
}

func archiveFor(system, processor string, musl bool) archive {
	platform := system + "/" + processor
	if musl {
		platform += "/musl"
	}
	switch platform {
	case "linux/amd64":
		return archive{"linux-amd64", 15119738, "008ee189eaa7ca2b58bd01dd950291e638b998392cf982297acd4779ec898ac1"}
	case "linux/amd64/musl":
		return archive{"linux-amd64-alpine", 14856560, "1568b3805c3a3b99b5f4f0d7f6cf16e2a39075462ed47a614bfbabd92508350d"}
	case "linux/arm64":
		return archive{"linux-arm64v8", 14142322, "5f54e016723afa6213925a8acb939bac52944b1d348f65c7a20f0cd2928c31be"}
	case "darwin/amd64":
		return archive{"darwin-amd64", 71185174, "690941008aac9ee360820fde9bb7870a4f3dcac5e9e2f9e45e42333a436ad0f9"}
	case "darwin/arm64":
		return archive{"darwin-arm64v8", 71185174, "8f6ed6f38195b50a40712ada8b2a12060b6193c1a6977a6eb5cff053bb5a1b89"}
	}
	return archive{}
}
