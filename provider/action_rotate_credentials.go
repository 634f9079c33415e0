package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	_ action.ActionWithConfigure      = (*rotateCredentialsAction)(nil)
	_ action.ActionWithValidateConfig = (*rotateCredentialsAction)(nil)
)

// rotateCredentialsAction is slipway_rotate_credentials.
type rotateCredentialsAction struct{ deed }

type rotateCredentialsModel struct {
	AccountDatabaseID types.String   `tfsdk:"account_database_id"`
	Timeouts          timeouts.Value `tfsdk:"timeouts"`
}

func newRotateCredentials() action.Action {
	return &rotateCredentialsAction{deed{
		noun: noun{"account database", "Account database", "slipway_account_database"},
		verb: "rotate the credentials of", typeName: "slipway_rotate_credentials", limit: 15 * time.Minute,
	}}
}

func (a *rotateCredentialsAction) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Makes a new password for an account's database now, as another `credential_version` does, without a change of the configuration: the next plan is empty, and no apply takes the password back. Connections that are open stay open, and `secret_id` stays the same. On `aws` the login before it works until the next rotation, so that stacks may take the new one in their own time; rotate again only when all of them have. An action that was interrupted is repeated: it goes on where it stood, and makes one new password.",
		Attributes: map[string]schema.Attribute{
			"account_database_id": schema.StringAttribute{Required: true, MarkdownDescription: "Id of the account database, such as `eu/production/acme`."},
			"timeouts":            invokeTimeoutAttribute(ctx, a.limit),
		},
	}
}

func (a *rotateCredentialsAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var m rotateCredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !given(m.AccountDatabaseID) {
		return
	}
	if _, err := target.ParseAccountDatabaseID(m.AccountDatabaseID.ValueString()); err != nil {
		invalid(&resp.Diagnostics, invalidValue, path.Root("account_database_id"), "%v", err)
	}
}

func (a *rotateCredentialsAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m rotateCredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	a.do(ctx, m.AccountDatabaseID.ValueString(), m.Timeouts, resp, func(ctx context.Context, tell func(string)) (string, error) {
		id, err := target.ParseAccountDatabaseID(m.AccountDatabaseID.ValueString())
		if err != nil {
			return "", err
		}
		tell(fmt.Sprintf("Making a new password for account database %q.", id))
		rec, err := a.client.RotateCredentials(ctx, id)
		return fmt.Sprintf("The new password is in effect, and in %s. Who connects from now on reads it there; open connections stay.", rec.Status.SecretID), err
	})
}
