package accountdb

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is what the server has under one name.
type Entry struct {
	Name string
	// Role and Database are nil where there is none of that name.
	Role     *Role
	Database *Database
}

// Role is a login role as the server shows it.
type Role struct {
	Mark string
	// CanLogin is false also when its password has expired.
	CanLogin bool
	// ConnectionLimit is -1 for none.
	ConnectionLimit int
	// Powers are the attributes that no account may have, such as "SUPERUSER".
	Powers []string
	// Members are the roles that may act as this one, MemberOf those that this
	// one may act as. The administrator who asks is left out.
	Members, MemberOf []string
	// Settings are the defaults of its sessions that the role has set for itself, such as
	// "search_path", and SettingsIn the databases that they are for; "" is all.
	Settings, SettingsIn []string
}

// Database is a database as the server shows it.
type Database struct {
	Mark, Owner string
	// Open tells whether it accepts connections at all.
	Open bool
	// Broken is what a crash in the midst of dropping leaves: it can only be
	// dropped again.
	Broken bool
	// OwnerRights tells whether the owner has CONNECT, TEMPORARY and CREATE.
	OwnerRights bool
	// Grantees are the roles other than the owner that have any right to it;
	// everybody is "PUBLIC".
	Grantees []string
}

// public is how everybody is called among grantees. No role can have that
// name: PostgreSQL reserves it in lower case, and this is not.
const public = "PUBLIC"

// Check tells whether what is there belongs to the account with that mark: the
// error is [ErrForeign] if any of it does not.
//
// A role is ours by its mark alone, which only an administrator can change. A
// database is ours by its mark, or because our role owns it: its mark is set
// after it was created, and its owner can change it.
func (e Entry) Check(mark string) error {
	if e.Role != nil && e.Role.Mark != mark {
		return fmt.Errorf("role %q %w: it does not carry the mark %q", e.Name, ErrForeign, mark)
	}
	if e.Database != nil && e.Database.Mark != mark && (e.Role == nil || e.Database.Owner != e.Name) {
		return fmt.Errorf("database %q %w: it does not carry the mark %q and belongs to role %q", e.Name, ErrForeign, mark, e.Database.Owner)
	}
	return nil
}

// Missing tells whether there is neither a database nor a role.
func (e Entry) Missing() bool { return e.Role == nil && e.Database == nil }

// Drift lists, each in a few words, how what is there differs from the
// account. Whether a password is the right one cannot be seen. Nothing is
// listed exactly when [Ensure] would have nothing else to do.
func (e Entry) Drift(account Account) []string {
	var drift []string
	note := func(differs bool, format string, arguments ...any) {
		if differs {
			drift = append(drift, fmt.Sprintf(format, arguments...))
		}
	}
	note(e.Role == nil, "the role is missing")
	if role := e.Role; role != nil {
		drift = append(drift, role.drift(account)...)
	}
	note(e.Database == nil, "the database is missing")
	if database := e.Database; database != nil {
		note(database.Broken, "the database was left half dropped by a crash")
		note(database.Owner != e.Name, "the database belongs to role %q", database.Owner)
		drift = append(drift, database.drift(account)...)
	}
	return drift
}

// drift lists what one ALTER ROLE and the taking of memberships mend.
func (r *Role) drift(account Account) []string {
	var drift []string
	if r.Mark != account.Mark {
		drift = append(drift, "the role does not carry our mark")
	}
	if !r.CanLogin {
		drift = append(drift, "the role cannot log in")
	}
	if r.ConnectionLimit != account.limit() {
		drift = append(drift, fmt.Sprintf("the role's connection limit is %d", r.ConnectionLimit))
	}
	if len(r.Powers) > 0 {
		drift = append(drift, "the role has "+strings.Join(r.Powers, ", "))
	}
	if others := r.strangers(account); len(others) > 0 {
		drift = append(drift, "others may act as the role: "+strings.Join(others, ", "))
	}
	if len(r.MemberOf) > 0 {
		drift = append(drift, "the role may act as others: "+strings.Join(r.MemberOf, ", "))
	}
	if len(r.Settings) > 0 {
		drift = append(drift, "the role has defaults of its own for "+strings.Join(r.Settings, ", "))
	}
	return drift
}

// strangers are the members that are no logins of the account.
func (r *Role) strangers(account Account) []string {
	return slices.DeleteFunc(slices.Clone(r.Members), func(m string) bool { return slices.Contains(account.Logins, m) })
}

// drift lists what the setting of rights mends.
func (d *Database) drift(account Account) []string {
	var drift []string
	if d.Mark != account.Mark {
		drift = append(drift, "the database does not carry our mark")
	}
	if len(d.Grantees) > 0 {
		drift = append(drift, "others have rights to the database: "+strings.Join(d.Grantees, ", "))
	}
	if !d.OwnerRights {
		drift = append(drift, "the role lacks rights to its database")
	}
	if !d.Open {
		drift = append(drift, "the database accepts no connections")
	}
	return drift
}
