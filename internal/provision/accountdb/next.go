package accountdb

import (
	"fmt"
	"strconv"
	"strings"
)

// Step is one message to the server: statements that take effect together.
type Step struct {
	// What says what it does, in a few words. It holds no secret.
	What string
	SQL  []string
	// done is called when it succeeded; may be nil.
	done func()
}

// Asker is what the next step depends on besides the account: who asks.
type Asker struct {
	Superuser bool
	// Major is the server's major version.
	Major int
}

// Next decides from what is there alone what is to be done next: nil when
// nothing is. It is called again after every step.
type Next func(Entry, Asker) (*Step, error)

// Ensure makes the account, or mends it.
func Ensure(account Account) Next {
	passwordSet := account.Password == ""
	return func(seen Entry, asks Asker) (*Step, error) {
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
				return &Step{"create role", createRole(account, password, asks), done}, nil
			}
			return &Step{"alter role", mendRole(account, password, role), done}, nil
		case database != nil && database.Broken:
			return &Step{What: "drop broken database", SQL: dropDatabase(account.Name)}, nil
		case database == nil:
			return &Step{What: "create database", SQL: []string{"CREATE DATABASE " + Ident(account.Name) +
				" OWNER " + Ident(account.Name) + " TEMPLATE template0 ALLOW_CONNECTIONS false"}}, nil
		case database.Owner != account.Name:
			return &Step{What: "give database to its role", SQL: []string{
				"ALTER DATABASE " + Ident(account.Name) + " OWNER TO " + Ident(account.Name)}}, nil
		case len(database.drift(account)) > 0:
			return &Step{What: "set rights and open database", SQL: openDatabase(account, database)}, nil
		}
		return nil, nil
	}
}

// SetPassword sets the password of an account that exists.
func SetPassword(account Account) Next {
	set := false
	return func(seen Entry, _ Asker) (*Step, error) {
		if err := existing(seen, account.Mark); err != nil || set {
			return nil, err
		}
		password, err := passwordClause(account.Password)
		return &Step{"set password", []string{"ALTER ROLE " + Ident(account.Name) + password}, func() { set = true }}, err
	}
}

// SetLimit sets the connection limit of an account that exists.
func SetLimit(account Account) Next {
	return func(seen Entry, _ Asker) (*Step, error) {
		if err := existing(seen, account.Mark); err != nil || seen.Role.ConnectionLimit == account.limit() {
			return nil, err
		}
		return &Step{What: "set connection limit", SQL: []string{
			"ALTER ROLE " + Ident(account.Name) + limitClause(account)}}, nil
	}
}

// Close keeps everybody from the account's database, and ends who is in it, so that nothing is
// written there any more. What is there stays.
func Close(account Account) Next {
	ended := false
	return func(seen Entry, _ Asker) (*Step, error) {
		if err := seen.Check(account.Mark); err != nil {
			return nil, err
		}
		switch {
		case seen.Role != nil && seen.Role.CanLogin:
			return &Step{What: "forbid login", SQL: []string{"ALTER ROLE " + Ident(account.Name) + " NOLOGIN"}}, nil
		case seen.Database != nil && !ended:
			return &Step{"end sessions", []string{endSessions(account.Name)}, func() { ended = true }}, nil
		}
		return nil, nil
	}
}

// endSessions ends those that clients have in a database. Of the others, such as autovacuum's and those of
// superusers, only superusers may end any, and PostgreSQL refuses the whole statement.
func endSessions(database string) string {
	return "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid" +
		" WHERE a.backend_type = 'client backend' AND NOT r.rolsuper AND a.datname = " + Literal(database)
}

// Drop removes the account. The role is kept from logging in first, so that
// nobody comes back while the database is being dropped.
func Drop(account Account) Next {
	return func(seen Entry, _ Asker) (*Step, error) {
		if err := seen.Check(account.Mark); err != nil {
			return nil, err
		}
		name := Ident(account.Name)
		switch {
		case seen.Role != nil && seen.Database != nil && seen.Role.CanLogin:
			return &Step{What: "forbid login", SQL: []string{"ALTER ROLE " + name + " NOLOGIN"}}, nil
		case seen.Database != nil:
			return &Step{What: "drop database", SQL: dropDatabase(account.Name)}, nil
		case seen.Role != nil:
			// Rights that other owners granted to the role would keep it.
			return &Step{What: "drop role", SQL: []string{"DROP OWNED BY " + name, "DROP ROLE " + name}}, nil
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

func createRole(account Account, password string, asks Asker) []string {
	name := Ident(account.Name)
	sql := []string{
		"CREATE ROLE " + name + " LOGIN" + limitClause(account) + password,
		"COMMENT ON ROLE " + name + " IS " + Literal(account.Mark),
	}
	switch {
	case asks.Superuser:
	case asks.Major < 16:
		sql = append(sql, "GRANT "+name+" TO CURRENT_USER")
	default:
		// An administrator is a member that can only let others in. Without more, newer versions
		// only warn, and do nothing, where it revokes rights to a database of the role.
		sql = append(sql, "GRANT "+name+" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
	}
	return sql
}

// mendRole names only those attributes that are wrong: to speak of some of
// them at all takes a superuser.
func mendRole(account Account, password string, role *Role) []string {
	name := Ident(account.Name)
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
	if others := role.strangers(account); len(others) > 0 {
		sql = append(sql, "REVOKE "+name+" FROM "+list(others))
	}
	for _, database := range role.SettingsIn {
		if database == "" {
			sql = append(sql, "ALTER ROLE "+name+" RESET ALL")
		} else {
			sql = append(sql, "ALTER ROLE "+name+" IN DATABASE "+Ident(database)+" RESET ALL")
		}
	}
	return sql
}

// openDatabase takes all rights from everybody else before it lets anybody in.
func openDatabase(account Account, database *Database) []string {
	name := Ident(account.Name)
	var others strings.Builder
	for _, grantee := range database.Grantees {
		if grantee != public {
			others.WriteString(", " + Ident(grantee))
		}
	}
	return []string{
		"REVOKE ALL ON DATABASE " + name + " FROM PUBLIC" + others.String() + " CASCADE",
		"GRANT CONNECT, TEMPORARY, CREATE ON DATABASE " + name + " TO " + name,
		"COMMENT ON DATABASE " + name + " IS " + Literal(account.Mark),
		"ALTER DATABASE " + name + " ALLOW_CONNECTIONS true",
	}
}

func dropDatabase(name string) []string {
	return []string{"DROP DATABASE IF EXISTS " + Ident(name) + " WITH (FORCE)"}
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
	return " PASSWORD " + Literal(secret), nil
}
