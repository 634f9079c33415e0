package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func newRegionData() datasource.DataSource { return regionData() }

func regionData() *dataSource {
	return &dataSource{
		noun:        noun{"region", "Region", "slipway_region"},
		description: "A region that another configuration looks after.",
		resource:    schemaOf(newRegion), check: target.ValidateName,
		read: func(ctx context.Context, c *client, id string, _ *diag.Diagnostics) (any, error) {
			rec, err := c.ReadRegion(ctx, id)
			m := &regionModel{Timeouts: noTimeouts()}
			m.fromDomain(rec)
			return m, err
		},
	}
}

func newEnvironmentData() datasource.DataSource { return environmentData() }

func environmentData() *dataSource {
	return &dataSource{
		noun:        noun{"environment", "Environment", "slipway_environment"},
		description: "An environment that another configuration looks after, with what is needed to attach other infrastructure to it.",
		resource:    schemaOf(newEnvironment), check: checkID(target.ParseEnvironmentID),
		read: func(ctx context.Context, c *client, id string, diags *diag.Diagnostics) (any, error) {
			parsed, err := target.ParseEnvironmentID(id)
			if err != nil {
				return nil, err
			}
			rec, err := c.ReadEnvironment(ctx, parsed)
			m := &environmentModel{Timeouts: noTimeouts()}
			m.fromDomain(ctx, rec, diags)
			return m, err
		},
	}
}

func newAccountDatabaseData() datasource.DataSource { return accountDatabaseData() }

func accountDatabaseData() *dataSource {
	return &dataSource{
		noun:        noun{"account database", "Account database", "slipway_account_database"},
		description: "The database of an account that another configuration looks after. Its password is in no data source: the ephemeral resource `slipway_account_credentials` reads it.",
		resource:    schemaOf(newAccountDatabase), check: checkID(target.ParseAccountDatabaseID),
		read: func(ctx context.Context, c *client, id string, _ *diag.Diagnostics) (any, error) {
			parsed, err := target.ParseAccountDatabaseID(id)
			if err != nil {
				return nil, err
			}
			rec, err := c.ReadAccountDatabase(ctx, parsed)
			m := &accountDatabaseModel{Timeouts: noTimeouts()}
			m.fromDomain(rec)
			return m, err
		},
	}
}

func newDeploymentSlotData() datasource.DataSource { return deploymentSlotData() }

func deploymentSlotData() *dataSource {
	return &dataSource{
		noun:        noun{"deployment slot", "Deployment slot", "slipway_deployment_slot"},
		description: "A deployment slot that another configuration looks after: the release that serves in it, what it consists of, and how its last swap went.",
		resource:    schemaOf(newDeploymentSlot), check: checkID(target.ParseSlotID),
		read: func(ctx context.Context, c *client, id string, diags *diag.Diagnostics) (any, error) {
			parsed, err := target.ParseSlotID(id)
			if err != nil {
				return nil, err
			}
			state, err := c.ReadSlot(ctx, parsed)
			if err != nil {
				return nil, err
			}
			rec, err := c.ReadEnvironment(ctx, parsed.Environment)
			m := &deploymentSlotModel{Timeouts: noTimeouts()}
			m.fromDomain(ctx, state, diags)
			m.URL, m.PreviewURL = entrances(rec.Spec)
			return m, err
		},
	}
}

// noTimeouts are the timeouts of what no configuration looks after.
func noTimeouts() timeouts.Value {
	verbs := map[string]attr.Type{"create": types.StringType, "read": types.StringType, "update": types.StringType, "delete": types.StringType}
	return timeouts.Value{Object: types.ObjectNull(verbs)}
}

func checkID[T any](parse func(string) (T, error)) func(string) error {
	return func(id string) error {
		_, err := parse(id)
		return err
	}
}

// schemaOf is the schema of a resource.
func schemaOf(make func() resource.Resource) func(context.Context) resourceschema.Schema {
	return func(ctx context.Context) resourceschema.Schema {
		var resp resource.SchemaResponse
		make().Schema(ctx, resource.SchemaRequest{}, &resp)
		return resp.Schema
	}
}
