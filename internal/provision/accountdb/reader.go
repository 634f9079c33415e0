package accountdb

// EnsureReader makes a login that can read the catalogue and nothing else, or mends it. It is
// let into the maintenance database, which everybody else is kept out of.
func EnsureReader(reader Account, maintenance string) Next {
	passwordSet := reader.Password == ""
	return func(seen Entry, asks Asker) (*Step, error) {
		role := seen.Role
		if role != nil && role.Mark != reader.Mark {
			return nil, seen.Check(reader.Mark)
		}
		if role == nil && reader.Password == "" {
			return nil, ErrNoPassword
		}
		if role != nil && passwordSet && len(role.drift(reader)) == 0 {
			return nil, nil
		}
		password, err := passwordClause(reader.Password)
		if err != nil {
			return nil, err
		}
		step := &Step{"create role", nil, func() { passwordSet = true }}
		if role == nil {
			step.SQL = createRole(reader, password, asks)
		} else {
			step.What, step.SQL = "alter role", mendRole(reader, password, role)
		}
		step.SQL = append(step.SQL, "GRANT CONNECT ON DATABASE "+Ident(maintenance)+" TO "+Ident(reader.Name))
		return step, nil
	}
}

// OpenMaintenance is the query for the maintenance databases that everybody has the right to
// connect to: PostgreSQL grants it.
const OpenMaintenance = `SELECT DISTINCT datname::text FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl
	WHERE acl.grantee = 0 AND acl.privilege_type = 'CONNECT' AND datname IN ('postgres', 'template1', current_database()) ORDER BY 1`

// CloseDatabase takes the right to connect to a database off everybody who does not have it by
// name.
func CloseDatabase(name string) string {
	return "REVOKE CONNECT ON DATABASE " + Ident(name) + " FROM PUBLIC"
}
