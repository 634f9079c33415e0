package target

import (
	"fmt"
	"slices"
	"strconv"
)

// Isolations of account databases.
const (
	IsolationDatabase = "database"
	IsolationCluster  = "cluster"
)

// AccountDatabase is the isolated database of one account in one environment.
type AccountDatabase struct {
	Environment EnvironmentID `json:"environment_id"`
	Account     string        `json:"account"`
	// DataResidency lists the jurisdictions this account's data may live in; empty: any.
	DataResidency []string `json:"data_residency,omitempty"`
	// Isolation is IsolationDatabase (own database and role on the environment's cluster) or
	// IsolationCluster (a cluster of its own).
	Isolation string `json:"isolation"`
	// ConnectionLimit is how many connections the account's role may hold at once.
	ConnectionLimit int `json:"connection_limit"`
	// CredentialVersion makes a new password when it changes.
	CredentialVersion int64 `json:"credential_version"`
	// Rotation makes one as well. It counts the times that somebody asked for one beside the
	// configuration, which knows nothing of it.
	Rotation           int64 `json:"rotation,omitempty"`
	DeletionProtection bool  `json:"deletion_protection"`
	// SkipFinalSnapshot removes the database without the snapshot that is kept else, where the
	// target has snapshots.
	SkipFinalSnapshot bool `json:"skip_final_snapshot,omitempty"`
}

// AccountDatabaseStatus is where an account database is.
type AccountDatabaseStatus struct {
	DatabaseName string `json:"database_name"`
	RoleName     string `json:"role_name"`
	Host         string `json:"host"`
	Port         int    `json:"port"`
	// SecretID names the place of the password: on local the path of a file of mode 0600,
	// on aws the ARN of a secret.
	SecretID string `json:"secret_id"`
	// PasswordVersion is that of the password that is in effect.
	PasswordVersion string `json:"password_version,omitempty"`
	// Recovery says where a removed database can be had back from, in words; empty: nowhere.
	Recovery string `json:"recovery,omitempty"`
	// Drift lists what differs on the server from what was asked, in words.
	Drift []string `json:"drift,omitempty"`
	// ObservedConnectionLimit is the role's limit as the server has it.
	ObservedConnectionLimit int `json:"observed_connection_limit"`
}

// AccountDatabaseRecord is an account database as its target holds it.
type AccountDatabaseRecord struct {
	Meta   Meta                  `json:"meta"`
	Spec   AccountDatabase       `json:"spec"`
	Status AccountDatabaseStatus `json:"status"`
	// Vanished is true where the record is there and the database is not.
	Vanished bool `json:"vanished,omitempty"`
	// GiveUp is the command that takes away the record of one that has vanished.
	GiveUp string `json:"give_up,omitempty"`
}

// ID is the database's natural key.
func (d AccountDatabase) ID() AccountDatabaseID { return AccountDatabaseID{d.Environment, d.Account} }

// PasswordVersion tells passwords apart: another version is another password.
func (d AccountDatabase) PasswordVersion() string {
	if d.Rotation == 0 {
		return strconv.FormatInt(d.CredentialVersion, 10)
	}
	return fmt.Sprintf("%d.%d", d.CredentialVersion, d.Rotation)
}

// Validate returns every fault of the definition on its own.
func (d AccountDatabase) Validate() Faults {
	var f Faults
	f.check("account", ValidateName(d.Account))
	f.oneOf("isolation", d.Isolation, IsolationDatabase, IsolationCluster)
	f.positive("connection_limit", d.ConnectionLimit, "connections", 10000)
	if d.CredentialVersion < 1 {
		f.addf("credential_version", "%d is out of range: expected 1 or more", d.CredentialVersion)
	}
	for _, j := range d.DataResidency {
		f.check("data_residency", ValidateJurisdiction(j))
	}
	return f
}

// ValidateIn returns the faults that only show beside the environment and its region.
func (d AccountDatabase) ValidateIn(e Environment, r Region) Faults {
	var f Faults
	if e.Tenancy == TenancySingleTenant && e.Account != d.Account {
		f.addf("account", "environment %q is single-tenant and belongs to account %q: account %q can't have a database there; use a multi-tenant environment or one of its own", e.ID(), e.Account, d.Account)
	}
	if len(d.DataResidency) > 0 && !slices.Contains(d.DataResidency, r.Jurisdiction) {
		f.addf("data_residency", "account %q may keep data in %v, and region %q is under jurisdiction %q: choose an environment in another region, or add %q if the law allows it", d.Account, quoted(d.DataResidency), r.Name, r.Jurisdiction, r.Jurisdiction)
	}
	if e.AWS == nil && d.ConnectionLimit > e.Database.MaxConnections {
		f.addf("connection_limit", "%d is more than the %d connections of environment %q: lower it, or raise the environment's database.max_connections", d.ConnectionLimit, e.Database.MaxConnections, e.ID())
	}
	return f
}
