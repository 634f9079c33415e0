package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure      = (*accountCredentials)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*accountCredentials)(nil)
)

// accountCredentials is the ephemeral resource slipway_account_credentials: Terraform keeps
// nothing of it.
type accountCredentials struct {
	configured
	noun
}

type accountCredentialsModel struct {
	AccountDatabaseID types.String `tfsdk:"account_database_id"`
	DatabaseName      types.String `tfsdk:"database_name"`
	Host              types.String `tfsdk:"host"`
	Password          types.String `tfsdk:"password"`
	Port              types.Int64  `tfsdk:"port"`
	RoleName          types.String `tfsdk:"role_name"`
}

const readLimit = 5 * time.Minute

func newAccountCredentials() ephemeral.EphemeralResource {
	return &accountCredentials{noun: noun{"account credentials", "Account credentials", "slipway_account_credentials"}}
}

func (e *accountCredentials) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = e.typeName
}

func (e *accountCredentials) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	computed := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	password := computed("Password of the role, of the `credential_version` that was applied last.")
	password.Sensitive = true
	resp.Schema = schema.Schema{
		MarkdownDescription: "What an account's application signs in to its database with, read whenever it is needed and stored nowhere: neither in state nor in a plan. While a plan is made that is to create the database, everything but the id is null. TLS is required; on the `local` target the environment's `certificate_authority` signs the server.",
		Attributes: map[string]schema.Attribute{
			"account_database_id": schema.StringAttribute{Required: true, MarkdownDescription: "Id of the account database, such as `eu/production/acme`."},
			"database_name":       computed("Name of the database on its server."),
			"host":                computed("Host name or address of the server."),
			"password":            password,
			"port":                schema.Int64Attribute{Computed: true, MarkdownDescription: "TCP port of the server."},
			"role_name":           computed("Name of the role to sign in as."),
		},
	}
}

// Configure is called before credentials are read.
func (e *accountCredentials) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.take(req.ProviderData, &resp.Diagnostics)
}

func (e *accountCredentials) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var m accountCredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !given(m.AccountDatabaseID) {
		return
	}
	if _, err := target.ParseAccountDatabaseID(m.AccountDatabaseID.ValueString()); err != nil {
		invalid(&resp.Diagnostics, invalidValue, path.Root("account_database_id"), "%v", err)
	}
}

// Open reads the credentials.
func (e *accountCredentials) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m accountCredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, fmt.Errorf("the time limit of %s has passed", readLimit))
	defer cancel()
	id, err := target.ParseAccountDatabaseID(m.AccountDatabaseID.ValueString())
	if err != nil {
		e.report(ctx, &resp.Diagnostics, "read", m.AccountDatabaseID.ValueString(), err)
	}
	if !e.available(e.noun, "read", &resp.Diagnostics) {
		return
	}
	c, err := e.client.ReadCredentials(ctx, id)
	switch _, standing := e.client.register.databases.get(id); {
	case err == nil:
		m.DatabaseName, m.Host, m.RoleName = types.StringValue(c.DatabaseName), types.StringValue(c.Host), types.StringValue(c.RoleName)
		m.Port, m.Password = types.Int64Value(int64(c.Port)), types.StringValue(c.Password)
	case (errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation)) && (standing == planned || standing == opaque):
		// The plan that is being made has the database: the apply reads it anew.
	default:
		e.report(ctx, &resp.Diagnostics, "read", id.String(), err)
		return
	}
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}
