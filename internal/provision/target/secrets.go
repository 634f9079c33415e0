package target

import "context"

// Secrets reads what records only name. It is no part of [Driver]: a target where those who
// run Terraform may not read secrets does without.
type Secrets interface {
	// ReadSecret returns the password of a [AccountDatabaseStatus.SecretID], ErrNotFound if
	// there is none.
	ReadSecret(ctx context.Context, secretID string) (string, error)
}
