//go:build !windows

package postgres

import "path/filepath"

// layout names the files in a server's folder. The folder itself belongs to
// us; data, the certificate and its key belong to the server's user.
type layout string

// data is PostgreSQL's own directory.
func (l layout) data() string { return filepath.Join(string(l), "data") }

// certificate and key are what the server shows its clients.
func (l layout) certificate() string { return filepath.Join(string(l), "server.crt") }
func (l layout) key() string         { return filepath.Join(string(l), "server.key") }

// authority is what clients check the certificate with.
func (l layout) authority() string { return filepath.Join(string(l), "authority.crt") }

// password is the administrator's, readable by us alone.
func (l layout) password() string { return filepath.Join(string(l), "admin.password") }

// port holds the port, so that it stays the same for ever.
func (l layout) port() string { return filepath.Join(string(l), "port") }

// log is where the server writes unless [Options.LogFile] says otherwise.
func (l layout) log() string { return filepath.Join(string(l), "postgres.log") }

// workPrefix begins the names of folders in which initdb works.
const workPrefix = "initdb-"

// temporaryPrefix begins the names of what [writeFile] writes before it has the name of path.
func temporaryPrefix(path string) string { return "." + filepath.Base(path) + "-" }

// unfinished begin the names of what an agent leaves that is killed while it writes.
func (l layout) unfinished() []string {
	all := []string{workPrefix}
	for _, path := range []string{l.certificate(), l.key(), l.authority(), l.password(), l.port()} {
		all = append(all, temporaryPrefix(path))
	}
	return all
}

// initdbLock is held by an initdb at work and by what it starts; its pid is in it.
func (l layout) initdbLock() string { return filepath.Join(string(l), "initdb.lock") }

// removedData is what [Server.Remove] renames data to before deleting it.
func (l layout) removedData() string { return filepath.Join(string(l), "data.removed") }
