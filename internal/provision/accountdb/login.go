package accountdb

import "slices"

// EnsureLogin makes a login beside the account's own role, or mends it. Its sessions act as the
// account: what they make belongs to the account. With two logins that are used in turn, a
// password changes without a moment in which the one before it does not open the database.
//
// The account, with this login among its [Account.Logins], must be there.
func EnsureLogin(login Account, account string) Next {
	passwordSet := login.Password == ""
	return func(seen Entry, asks Asker) (*Step, error) {
		if err := seen.Check(login.Mark); err != nil {
			return nil, err
		}
		role := seen.Role
		if role == nil && login.Password == "" {
			return nil, ErrNoPassword
		}
		if role != nil && passwordSet && len(role.LoginDrift(login, account)) == 0 {
			return nil, nil
		}
		password, err := passwordClause(login.Password)
		if err != nil {
			return nil, err
		}
		step := &Step{"create login", nil, func() { passwordSet = true }}
		if role == nil {
			step.SQL = createRole(login, password, asks)
		} else {
			step.What, step.SQL = "alter login", mendRole(login, password, role)
		}
		step.SQL = append(step.SQL,
			"GRANT "+Ident(account)+" TO "+Ident(login.Name),
			"ALTER ROLE "+Ident(login.Name)+" IN DATABASE "+Ident(account)+" SET role = "+Literal(account))
		return step, nil
	}
}

// LoginDrift lists how a login differs from what [EnsureLogin] makes of it.
func (r *Role) LoginDrift(login Account, account string) []string {
	as := *r
	as.MemberOf = slices.DeleteFunc(slices.Clone(r.MemberOf), func(m string) bool { return m == account })
	drift := as.drift(login)
	if len(as.MemberOf) == len(r.MemberOf) {
		drift = append(drift, "the login can't act as the account")
	}
	return drift
}
