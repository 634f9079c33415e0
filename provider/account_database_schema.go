package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	defaultConnectionLimit   = 20
	defaultCredentialVersion = 1
)

func accountDatabaseSchema(ctx context.Context, l limits) schema.Schema {
	fixed := []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()}
	return schema.Schema{
		MarkdownDescription: "The isolated database of one account in one environment, with a login role of its own. No password enters state, plan or log: `secret_id` says where it is.",
		Attributes: whole(map[string]schema.Attribute{
			"id": idAttribute("the environment's id and the account joined by `/` such as `eu/production/acme`"),
			"account": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Account whose database this is, of at most 40 characters `a-z`, `0-9` and `-`; a change is refused, since the data would be lost.",
			},
			"connection_limit": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(defaultConnectionLimit),
				MarkdownDescription: "How many connections the account may hold at once, at most the environment's `database.max_connections`; defaults to 20 and changes in place.",
			},
			"credential_version": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(defaultCredentialVersion),
				MarkdownDescription: "Version of the password, 1 or more; another version makes a new password. On `aws` the login before it works until the next change, so that stacks that run keep their connections and can open others. Defaults to 1.",
			},
			"data_residency": stringSetAttribute("Jurisdictions in which the account's data may live, such as `EU`: the plan refuses an environment in a region under another one. Defaults to none, which allows all; it changes in place."),
			"database_name": schema.StringAttribute{
				Computed: true, PlanModifiers: fixed,
				MarkdownDescription: "Name of the database on its server.",
			},
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether the database refuses to be destroyed; defaults to `true` and changes in place.",
			},
			"drift": driftAttribute(),
			"environment_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Id of the environment; a change is refused, since the data does not move by itself.",
			},
			"final_snapshot": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether a snapshot of the data is kept when the database is removed, on `aws`: of the account's own cluster, or of the environment's where it is on that. The plan of the removal names it. The `local` target takes none, and says so. Defaults to `true` and changes in place: what is in state when it is destroyed counts.",
			},
			"host": computedString("Host name or address of the server that holds the database."),
			"isolation": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(target.IsolationDatabase),
				MarkdownDescription: "`database` for a database and a role on the environment's server, or `cluster` for a PostgreSQL server of the account's own: on `aws` an Aurora cluster, as large as the environment's and in its network; defaults to `database`, and a change is refused, since the data would have to move.",
			},
			"port": schema.Int64Attribute{Computed: true, MarkdownDescription: "TCP port of the server that holds the database."},
			"role_name": schema.StringAttribute{
				Computed: true, PlanModifiers: fixed,
				MarkdownDescription: "Name of the account's role, which owns the database; on `aws` two logins act as it in turn, and the secret names the one to use.",
			},
			"secret_id": computedString("Where the password is: on the local target the path of a file of mode 0600, on `aws` the ARN of a secret in Secrets Manager with `engine`, `host`, `port`, `username`, `password` and `dbname` in JSON."),
			"timeouts":  timeoutsAttribute(ctx, l),
		}),
	}
}
