package accounts

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// ident quotes a name for SQL.
func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a text for SQL. The connections have
// standard_conforming_strings on, so a backslash is only a backslash.
func literal(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// list quotes names and joins them by commas.
func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = ident(name)
	}
	return strings.Join(quoted, ", ")
}
