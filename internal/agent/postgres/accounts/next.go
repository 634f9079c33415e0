package accounts

import (
	"fmt"
	"strconv"
	"strings"
)

// step is one message to the server: statements that take effect together.
type step struct {
	// what says what it does, in a few words. It holds no secret.
	what string
	sql  []string
	// done is called when it succeeded; may be nil.
	done func()
}

// asker is what the next step depends on besides the account: who asks.
type asker struct {
	superuser bool
	major     int
}

// next decides from what is there alone what is to be done next: nil when
// nothing is. It is called again after every step.
type next func(Entry, asker) (*step, error)

// toEnsure makes the account, or mends it.
func toEnsure(account Account) next {
	passwordSet := account.Password == ""
	return func(seen Entry, asks asker) (*step, error) {
		if err := seen.Check(account.Mark); err != nil {
			return nil, err
		}
		role, database := seen.Role, seen.Database
		switch {
		case role == nil && account.Password == "":
			return nil, ErrNoPassword
		case role == nil || !passwordSet || len(role.drift(account)) > 0:
			password, err := passwordClause(account.Password)
			if err != nil {
				return nil, err
			}
			done := func() { passwordSet = true }
			if role == nil {
				return &step{"create role", createRole(account, password, asks), done}, nil
			}
			return &step{"alter role", mendRole(account, password, role), done}, nil
		case database != nil && database.Broken:
			return &step{what: "drop broken database", sql: dropDatabase(account.Name)}, nil
		case database == nil:
			return &step{what: "create database", sql: []string{"CREATE DATABASE " + ident(account.Name) +
				" OWNER " + ident(account.Name) + " TEMPLATE template0 ALLOW_CONNECTIONS false"}}, nil
		case database.Owner != account.Name:
			return &step{what: "give database to its role", sql: []string{
				"ALTER DATABASE " + ident(account.Name) + " OWNER TO " + ident(account.Name)}}, nil
		case len(database.drift(account)) > 0:
			return &step{what: "set rights and open database", sql: openDatabase(account, database)}, nil
		}
		return nil, nil
	}
}

// toSetPassword sets the password of an account that exists.
func toSetPassword(account Account) next {
	set := false
	return func(seen Entry, _ asker) (*step, error) {
		if err := existing(seen, account.Mark); err != nil || set {
			return nil, err
		}
		password, err := passwordClause(account.Password)
		return &step{"set password", []string{"ALTER ROLE " + ident(account.Name) + password}, func() { set = true }}, err
	}
}

// toSetLimit sets the connection limit of an account that exists.
func toSetLimit(account Account) next {
	return func(seen Entry, _ asker) (*step, error) {
		if err := existing(seen, account.Mark); err != nil || seen.Role.ConnectionLimit == account.limit() {
			return nil, err
		}
		return &step{what: "set connection limit", sql: []string{
			"ALTER ROLE " + ident(account.Name) + limitClause(account)}}, nil
	}
}

// toDrop removes the account. The role is kept from logging in first, so that
// nobody comes back while the database is being dropped.
func toDrop(account Account) next {
	return func(seen Entry, _ asker) (*step, error) {
		if err := seen.Check(account.Mark); err != nil {
			return nil, err
		}
		name := ident(account.Name)
		switch {
		case seen.Role != nil && seen.Database != nil && seen.Role.CanLogin:
			return &step{what: "forbid login", sql: []string{"ALTER ROLE " + name + " NOLOGIN"}}, nil
		case seen.Database != nil:
			return &step{what: "drop database", sql: dropDatabase(account.Name)}, nil
		case seen.Role != nil:
			// Rights that other owners granted to the role would keep it.
			return &step{what: "drop role", sql: []string{"DROP OWNED BY " + name, "DROP ROLE " + name}}, nil
		}
		return nil, nil
	}
}

func existing(seen Entry, mark string) error {
	if seen.Role == nil {
		return ErrNotFound
	}
	return seen.Check(mark)
}

func createRole(account Account, password string, asks asker) []string {
	name := ident(account.Name)
	sql := []string{
		"CREATE ROLE " + name + " LOGIN" + limitClause(account) + password,
		"COMMENT ON ROLE " + name + " IS " + literal(account.Mark),
	}
	if !asks.superuser && asks.major < 16 {
		// Newer versions do so by themselves, see prepareConnection.
		sql = append(sql, "GRANT "+name+" TO CURRENT_USER")
	}
	return sql
}

// mendRole names only those attributes that are wrong: to speak of some of
// them at all takes a superuser.
func mendRole(account Account, password string, role *Role) []string {
	name := ident(account.Name)
	alter := "ALTER ROLE " + name + " LOGIN" + limitClause(account) + password
	if !role.CanLogin {
		alter += " VALID UNTIL 'infinity'"
	}
	for _, power := range role.Powers {
		alter += " NO" + power
	}
	sql := []string{alter}
	if len(role.MemberOf) > 0 {
		sql = append(sql, "REVOKE "+list(role.MemberOf)+" FROM "+name)
	}
	if len(role.Members) > 0 {
		sql = append(sql, "REVOKE "+name+" FROM "+list(role.Members))
	}
	for _, database := range role.SettingsIn {
		if database == "" {
			sql = append(sql, "ALTER ROLE "+name+" RESET ALL")
		} else {
			sql = append(sql, "ALTER ROLE "+name+" IN DATABASE "+ident(database)+" RESET ALL")
		}
	}
	return sql
}

// openDatabase takes all rights from everybody else before it lets anybody in.
func openDatabase(account Account, database *Database) []string {
	name := ident(account.Name)
	var others strings.Builder
	for _, grantee := range database.Grantees {
		if grantee != public {
			others.WriteString(", " + ident(grantee))
		}
	}
	return []string{
		"REVOKE ALL ON DATABASE " + name + " FROM PUBLIC" + others.String() + " CASCADE",
		"GRANT CONNECT, TEMPORARY, CREATE ON DATABASE " + name + " TO " + name,
		"COMMENT ON DATABASE " + name + " IS " + literal(account.Mark),
		"ALTER DATABASE " + name + " ALLOW_CONNECTIONS true",
	}
}

func dropDatabase(name string) []string {
	return []string{"DROP DATABASE IF EXISTS " + ident(name) + " WITH (FORCE)"}
}

func limitClause(account Account) string {
	return " CONNECTION LIMIT " + strconv.Itoa(account.limit())
}

// passwordClause is empty for no password.
func passwordClause(password string) (string, error) {
	if password == "" {
		return "", nil
	}
	secret, err := verifier(password)
	if err != nil {
		return "", fmt.Errorf("set password: %w", err)
	}
	return " PASSWORD " + literal(secret), nil
}
