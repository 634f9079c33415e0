package target

import "context"

// Secrets reads what records only name. It is no part of [Driver]: a target where those who
// run Terraform may not read secrets does without.
type Secrets interface {
	// ReadSecret returns the login of a [AccountDatabaseStatus.SecretID], ErrNotFound if
	// there is none.
	ReadSecret(ctx context.Context, secretID string) (Login, error)
}

// Login is what an account's application signs in to its database with.
type Login struct {
	// Role is empty where it is always the database's own.
	Role     string
	Password string
}
