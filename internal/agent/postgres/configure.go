//go:build !windows

package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Administrator is the role that we log in as. Host is where servers listen,
// maintenance the database that the administrator works in.
const (
	Administrator = "slipway"
	Host          = "127.0.0.1"
	maintenance   = "postgres"
)

// hostBasedAccess is pg_hba.conf: no connection without TLS, the
// administrator only into the maintenance database, and everybody else only
// into the database that is named like a role of theirs. What matches no line
// is refused.
const hostBasedAccess = `# Written by slipway at every start.
hostnossl all       all             all           reject
hostssl   ` + maintenance + `  ` + Administrator + `         127.0.0.1/32  scram-sha-256
hostssl   samerole  all             127.0.0.1/32  scram-sha-256
`

// configure writes certificate and configuration and tells whether that
// changed anything.
func (s *Server) configure(port int, owner *User) (changed bool, err error) {
	files := []struct {
		path    string
		content []byte
		owner   *User
	}{
		{s.files.authority(), s.options.Authority, nil},
		{s.files.key(), s.options.Key, owner},
		{s.files.certificate(), s.options.Certificate, owner},
		{filepath.Join(s.files.data(), "pg_hba.conf"), []byte(hostBasedAccess), owner},
		{filepath.Join(s.files.data(), "postgresql.conf"), []byte(s.configuration(port)), owner},
	}
	for _, file := range files {
		wrote, writeErr := writeFile(file.path, file.content, file.owner)
		changed = changed || wrote
		err = errors.Join(err, writeErr)
	}
	return changed, err
}

// clusterName stands in the titles of a server's processes, so that they can
// be told from those of another.
func clusterName(data string) string {
	sum := sha256.Sum256([]byte(data))
	return "slipway-" + hex.EncodeToString(sum[:6])
}

// configuration is postgresql.conf. What an operator sets with ALTER SYSTEM
// stands in another file and wins.
//
// The log must never hold a secret: statements are not logged, not even those
// that fail, nor the details of an error.
func (s *Server) configuration(port int) string {
	settings := []struct{ name, value string }{
		{"listen_addresses", Host},
		{"port", fmt.Sprint(port)},
		{"unix_socket_directories", ""},
		{"cluster_name", clusterName(s.files.data())},
		{"max_connections", fmt.Sprint(s.options.MaxConnections)},
		{"shared_buffers", "128MB"},
		{"max_wal_size", "1GB"},
		{"ssl", "on"},
		{"ssl_cert_file", s.files.certificate()},
		{"ssl_key_file", s.files.key()},
		{"ssl_min_protocol_version", "TLSv1.3"},
		{"password_encryption", "scram-sha-256"},
		{"log_destination", "stderr"},
		{"log_statement", "none"},
		{"log_min_error_statement", "panic"},
		{"log_min_duration_statement", "-1"},
		{"log_parameter_max_length", "0"},
		{"log_parameter_max_length_on_error", "0"},
		{"log_error_verbosity", "terse"},
		{"log_line_prefix", "%m [%p] %q%d "},
		{"log_timezone", "UTC"},
		{"timezone", "UTC"},
		{"datestyle", "iso, ymd"},
		{"lc_messages", "C"},
		{"default_text_search_config", "pg_catalog.english"},
	}
	var text strings.Builder
	text.WriteString("# Written by slipway at every start. Change settings with ALTER SYSTEM.\n")
	for _, setting := range settings {
		value := strings.NewReplacer("'", "''", `\`, `\\`, "\n", " ").Replace(setting.value)
		fmt.Fprintf(&text, "%s = '%s'\n", setting.name, value)
	}
	return text.String()
}
