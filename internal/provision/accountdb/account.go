package accountdb

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Account is what the server is to hold for one account.
type Account struct {
	// Name is both the database's and the role's. It is visible to everybody on
	// the server, so it must not tell who the account is.
	Name string
	// Mark tells our objects from others of the same name. It is stored as
	// their comment, visible to everybody as well.
	Mark string
	// ConnectionLimit is how many connections the account may have at a time,
	// 0 for no limit of its own.
	ConnectionLimit int
	// Logins are the roles beside its own that may act as the account ([EnsureLogin]).
	Logins []string
	// Password is set if it is not empty. A role that does not exist yet needs
	// one. The server only ever sees its verifier.
	Password string
}

// The errors of this package that callers tell apart.
var (
	// ErrForeign says that a database or role of the name is not the account's.
	ErrForeign = errors.New("exists, but is not ours")
	// ErrNotFound says that there is no such account.
	ErrNotFound = errors.New("account not found")
	// ErrNoPassword says that a role is to be made without a password.
	ErrNoPassword = errors.New("a new role needs a password")
	// ErrNotTaken says that a statement succeeded but had no effect.
	ErrNotTaken = errors.New("the server still shows the old state")
)

// Prefix begins the names of all databases and roles of ours.
const Prefix = "acct_"

// Keyed is 24 characters that stand for a text. Without the key nothing can be told from them.
func Keyed(key []byte, purpose, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose + "\x00" + text))
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// NewPassword returns a random password of 26 letters and digits (130 bits).
func NewPassword() string { return rand.Text() }

// maxName is PostgreSQL's limit for names, in bytes. It cuts longer ones.
const maxName = 63

// Check refuses what the server would refuse or change.
func (a Account) Check() error {
	switch {
	case a.Name == "" || len(a.Name) > maxName:
		return fmt.Errorf("name %q must have 1 to %d bytes", a.Name, maxName)
	case strings.HasPrefix(a.Name, "pg_"):
		return fmt.Errorf("name %q must not begin with pg_", a.Name)
	case strings.ContainsRune(a.Name, 0) || strings.ContainsRune(a.Mark, 0):
		return fmt.Errorf("name %q and its mark must not hold a zero byte", a.Name)
	case a.Mark == "":
		return fmt.Errorf("account %q has no mark", a.Name)
	case a.ConnectionLimit < 0:
		return fmt.Errorf("connection limit %d of account %q must not be negative", a.ConnectionLimit, a.Name)
	}
	return nil
}

// limit is ConnectionLimit as PostgreSQL spells it.
func (a Account) limit() int {
	if a.ConnectionLimit == 0 {
		return noLimit
	}
	return a.ConnectionLimit
}

const noLimit = -1
