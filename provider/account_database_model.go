package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type accountDatabaseModel struct {
	ID                 types.String   `tfsdk:"id"`
	Account            types.String   `tfsdk:"account"`
	ConnectionLimit    types.Int64    `tfsdk:"connection_limit"`
	CredentialVersion  types.Int64    `tfsdk:"credential_version"`
	DataResidency      types.Set      `tfsdk:"data_residency"`
	DatabaseName       types.String   `tfsdk:"database_name"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	Drift              types.List     `tfsdk:"drift"`
	EnvironmentID      types.String   `tfsdk:"environment_id"`
	FinalSnapshot      types.Bool     `tfsdk:"final_snapshot"`
	Host               types.String   `tfsdk:"host"`
	Isolation          types.String   `tfsdk:"isolation"`
	Port               types.Int64    `tfsdk:"port"`
	RoleName           types.String   `tfsdk:"role_name"`
	SecretID           types.String   `tfsdk:"secret_id"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

// toDomain converts a plan or a configuration; see values.go for what is not known.
func (m accountDatabaseModel) toDomain(diags *diag.Diagnostics) target.AccountDatabase {
	d := target.AccountDatabase{
		Environment:        environmentID(m.EnvironmentID, diags),
		Account:            text(m.Account, placeholder),
		DataResidency:      stringList(m.DataResidency.Elements()),
		Isolation:          target.IsolationDatabase,
		ConnectionLimit:    number(m.ConnectionLimit, defaultConnectionLimit, 1),
		CredentialVersion:  int64(number(m.CredentialVersion, defaultCredentialVersion, 1)),
		DeletionProtection: m.DeletionProtection.IsNull() || m.DeletionProtection.ValueBool(),
		SkipFinalSnapshot:  given(m.FinalSnapshot) && !m.FinalSnapshot.ValueBool(),
	}
	if given(m.Isolation) {
		d.Isolation = m.Isolation.ValueString()
	}
	// A set has no order, and the target compares definitions.
	slices.Sort(d.DataResidency)
	return d
}

// fromDomain takes over everything that the target says. Timeouts stay: it knows none.
func (m *accountDatabaseModel) fromDomain(rec target.AccountDatabaseRecord) {
	d, s := rec.Spec, rec.Status
	m.ID = types.StringValue(d.ID().String())
	m.Account = types.StringValue(d.Account)
	m.ConnectionLimit = types.Int64Value(int64(d.ConnectionLimit))
	if rec.Meta.Ready {
		m.ConnectionLimit = types.Int64Value(int64(s.ObservedConnectionLimit))
	}
	m.CredentialVersion = types.Int64Value(d.CredentialVersion)
	m.DataResidency = types.SetValueMust(types.StringType, toElements(d.DataResidency))
	m.DatabaseName = toText(s.DatabaseName)
	// Protection is armed by the last step of a create.
	m.DeletionProtection = types.BoolValue(d.DeletionProtection && rec.Meta.Ready)
	m.Drift = types.ListValueMust(types.StringType, toElements(s.Drift))
	m.EnvironmentID = types.StringValue(d.Environment.String())
	m.FinalSnapshot = types.BoolValue(!d.SkipFinalSnapshot)
	m.Host = toText(s.Host)
	m.Isolation = types.StringValue(d.Isolation)
	m.Port = toNumber(s.Port)
	m.RoleName = toText(s.RoleName)
	m.SecretID = toText(s.SecretID)
}

// environmentID parses the id of an environment. One that is not known yet names an
// environment that nobody has.
func environmentID(v types.String, diags *diag.Diagnostics) target.EnvironmentID {
	none := target.EnvironmentID{Region: placeholder, Name: placeholder}
	if !given(v) {
		return none
	}
	id, err := target.ParseEnvironmentID(v.ValueString())
	if err != nil {
		invalid(diags, "Invalid environment id", path.Root("environment_id"), "%s", err)
		return none
	}
	return id
}
