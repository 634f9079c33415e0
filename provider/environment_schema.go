package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	defaultListenAddress  = "127.0.0.1"
	defaultMaxConnections = 200
)

func environmentSchema(ctx context.Context, l limits) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "One installation of the platform inside a region: a front door with its domain name and certificate, a preview entrance for candidates, and a database server for the accounts in it.",
		Attributes: whole(map[string]schema.Attribute{
			"id": idAttribute("the region and the name joined by `/` such as `eu/production`"),
			"account": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{notEmpty{}},
				MarkdownDescription: "Account that owns the environment, for `single_tenant` only and always; a change replaces the environment, and is refused while it holds databases or slots.",
			},
			"accounts_directory": computedString("Where running stacks find the account databases of the environment: on the local target a directory."),
			"aws": schema.SingleNestedAttribute{
				Optional: true, Computed: true, Attributes: environmentAWSAttributes(),
				MarkdownDescription: "What an environment has on the `aws` target only, and where it is refused to be set on another; defaults to what is right for its `kind`.",
			},
			"aws_resources": schema.SingleNestedAttribute{
				Computed: true, Attributes: environmentResourcesAttributes(),
				MarkdownDescription: "What the environment is made of on the `aws` target, for modules that attach infrastructure of their own.",
			},
			"certificate_authority": computedString("Certificate in PEM form of the authority that signs what the environment's entrances and its database server show."),
			"database": schema.SingleNestedAttribute{
				Optional:            true,
				Computed:            true,
				Attributes:          databaseSizeAttributes(),
				MarkdownDescription: "Size of the database server on the local target; it changes in place, which may restart the server.",
			},
			"database_host": computedString("Host name or address of the environment's database server."),
			"database_port": schema.Int64Attribute{Computed: true, MarkdownDescription: "TCP port of the environment's database server."},
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Whether the environment refuses to be destroyed; defaults to `true` for `production` and `false` for `sandbox`, and changes in place.",
			},
			"domain_name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name under which the environment answers, with every account one label below it; it changes in place. On the local target it defaults to `<name>.<region>.localhost`, and names live under `.localhost`, which is appended in `url` where it is missing. On `aws` it lies in a hosted zone of Route 53, and defaults to `<name>.<region>.` before the provider's `aws.domain_name`.",
			},
			"drift": driftAttribute(),
			"kind": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "`production` or `sandbox`; a change replaces the environment, and is refused while it holds databases or slots.",
			},
			"mirrors": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{notEmpty{}},
				MarkdownDescription: "Id of the production environment that a sandbox must equal; the plan warns when their slots serve different releases. It changes in place; defaults to none.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the environment in its region, of at most 40 characters `a-z`, `0-9` and `-`; a change replaces the environment, and is refused while it holds databases or slots.",
			},
			"network": schema.SingleNestedAttribute{
				Optional:            true,
				Computed:            true,
				Attributes:          networkAttributes(),
				MarkdownDescription: "Where the environment's entrances listen; it changes in place.",
			},
			"preview_url": computedString("URL of the entrance to candidates that are not live yet, known at plan."),
			"region_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Id of the region that the environment is in; a change replaces the environment, and is refused while it holds databases or slots.",
			},
			"tags": tagsAttribute("environment"),
			"tenancy": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "`multi_tenant`, where many accounts share the environment, or `single_tenant`, where one account owns it; a change replaces the environment, and is refused while it holds databases or slots.",
			},
			"timeouts": timeoutsAttribute(ctx, l),
			"url":      computedString("URL of the environment's front door, known at plan."),
		}),
	}
}

func networkAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"https_port": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "TCP port of the front door; defaults to 443 on `aws`, and on the local target to one of 10000 to 14999 that follows from the id.",
		},
		"listen_address": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "IP address on which the entrances listen on the local target, and which no other target has; defaults to `127.0.0.1`, which only this machine reaches.",
		},
		"preview_port": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "TCP port of the preview entrance; defaults to 8443 on `aws`, and on the local target to one of 15000 to 19999 that follows from the id.",
		},
	}
}

func networkType() types.ObjectType { return nestedType(networkAttributes()) }

func databaseSizeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"max_connections": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How many connections the server accepts at once, 10 to 10000; defaults to 200. Not for the `aws` target, where it follows from the cluster's size.",
		},
	}
}

func databaseSizeType() types.ObjectType { return nestedType(databaseSizeAttributes()) }
