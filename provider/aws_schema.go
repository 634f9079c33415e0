package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// awsSchema is the provider's block for the aws target. Names and meanings are those of the
// AWS provider, so that what people know of it holds here. Keys are not among them: saved plans
// hold the configuration of a provider.
func awsSchema() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Settings of the `aws` target. Names, environment variables and precedence are those of the [AWS provider](https://registry.terraform.io/providers/hashicorp/aws/latest/docs), except that keys can't be given here, since saved plans hold the configuration of a provider, and that `TF_AWS_DEFAULT_TAGS_<key>` is not read. One block serves all AWS regions.",
		Attributes: map[string]schema.Attribute{
			"allowed_account_ids":           awsSet("AWS accounts that may be used; any other is refused. Left out, any may be used. An empty set is refused, where the AWS provider takes it for no limit.", notEmpty{}),
			"assume_role":                   awsAssumeRole(),
			"assume_role_with_web_identity": awsWebIdentity(),
			"custom_ca_bundle":              awsText("File with certificates of authorities to trust, in PEM. Also from `AWS_CA_BUNDLE`."),
			"database_ca_bundle":            awsText("File with the certificates of RDS's authorities in PEM, such as the [`global-bundle.pem`](https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem) of AWS, for environments whose `aws.database.access` is `direct`: systems do not have them. Also from `SLIPWAY_DATABASE_CA_BUNDLE`."),
			"default_tags": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Tags for everything that is made.",
				Attributes:          map[string]schema.Attribute{"tags": awsTags("Tags that everything made in AWS bears, beside those of its resource.")},
			},
			"domain_name":                        awsText("Domain in a hosted zone of Route 53, under which each environment without a `domain_name` of its own answers, as `<name>.<region>.` before it."),
			"ec2_metadata_service_endpoint":      awsText("Address of the EC2 metadata service. Also from `AWS_EC2_METADATA_SERVICE_ENDPOINT`."),
			"ec2_metadata_service_endpoint_mode": awsText("`IPv4` or `IPv6`. Also from `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`."),
			"endpoints": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{noNulls{}},
				MarkdownDescription: "URLs of services by their names in the AWS provider, such as `dynamodb` or `elbv2`. Also from `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`.",
			},
			"forbidden_account_ids":       awsSet("AWS accounts that must not be used."),
			"http_proxy":                  schema.StringAttribute{Optional: true, MarkdownDescription: "URL of a proxy for HTTP alone, such as `http://proxy.example.com:3128`; empty means none. AWS is asked by HTTPS. Also from `HTTP_PROXY`, which may hold a password: this can't, since saved plans hold it."},
			"https_proxy":                 schema.StringAttribute{Optional: true, MarkdownDescription: "URL of a proxy for HTTPS, such as `http://proxy.example.com:3128`; empty means none. Also from `HTTPS_PROXY`, which may hold a password: this can't, since saved plans hold it."},
			"insecure":                    awsFlag("Whether certificates are not checked; defaults to `false`."),
			"max_retries":                 schema.Int64Attribute{Optional: true, Validators: []validator.Int64{notZero{1000}}, MarkdownDescription: "How often a request is sent at most, 1 to 1000; defaults to 25. Requests that AWS would carry out twice are sent once, and four times at most where AWS says that there are too many."},
			"no_proxy":                    awsText("Hosts that are reached without a proxy, separated by commas. Also from `NO_PROXY`."),
			"profile":                     awsText("Profile of the shared files. Also from `AWS_PROFILE`."),
			"region":                      awsText("AWS region that is the installation's home: its directory of regions is kept there. It can't change later. Also from `AWS_REGION` or `AWS_DEFAULT_REGION`, then from the profile."),
			"retry_mode":                  awsText("`standard` or `adaptive`. Also from `AWS_RETRY_MODE`."),
			"s3_use_path_style":           awsFlag("Whether buckets are named in the path, as emulators need it; defaults to `false`."),
			"shared_config_files":         awsTexts("Shared configuration files, which must be there when a plan is made; defaults to `~/.aws/config`. Also from `AWS_CONFIG_FILE`."),
			"shared_credentials_files":    awsTexts("Shared credentials files, which must be there when a plan is made; defaults to `~/.aws/credentials`. Also from `AWS_SHARED_CREDENTIALS_FILE`."),
			"skip_credentials_validation": awsFlag("Whether STS is not asked whose the credentials are, for emulators without it; defaults to `false`."),
			"skip_metadata_api_check":     awsFlag("Whether the EC2 metadata service is not used; defaults to `false`. Also from `AWS_EC2_METADATA_DISABLED`."),
			"skip_region_validation":      awsFlag("Whether `region` and `sts_region` may be ones that this version does not know; defaults to `false`."),
			"sts_region":                  awsText("AWS region whose STS is used; defaults to `region`."),
			"use_dualstack_endpoint":      awsFlag("Whether endpoints with IPv6 are used; defaults to `false`. Also from `AWS_USE_DUALSTACK_ENDPOINT`."),
			"use_fips_endpoint":           awsFlag("Whether FIPS endpoints are used; defaults to `false`. Also from `AWS_USE_FIPS_ENDPOINT`."),
		},
	}
}

func awsText(description string, more ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: append([]validator.String{notEmpty{}}, more...), MarkdownDescription: description}
}

func awsFlag(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
}

func awsTexts(description string) schema.ListAttribute {
	return schema.ListAttribute{Optional: true, ElementType: types.StringType, Validators: []validator.List{noNulls{}}, MarkdownDescription: description}
}

func awsSet(description string, more ...validator.Set) schema.SetAttribute {
	return schema.SetAttribute{Optional: true, ElementType: types.StringType, Validators: append([]validator.Set{noNulls{}}, more...), MarkdownDescription: description}
}

func awsTags(description string) schema.MapAttribute {
	return schema.MapAttribute{Optional: true, ElementType: types.StringType, Validators: []validator.Map{noNulls{}}, MarkdownDescription: description}
}

func awsAssumeRole() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Roles to assume, each with the credentials of the one before.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"duration":            awsText("How long a session lasts, such as `1h`.", goDuration{}),
			"external_id":         awsText("Identifier that the role asks for."),
			"policy":              awsText("Policy in JSON that narrows the session's rights."),
			"policy_arns":         awsSet("Managed policies that narrow the session's rights."),
			"role_arn":            schema.StringAttribute{Required: true, Validators: []validator.String{notEmpty{}}, MarkdownDescription: "ARN of the role to assume."},
			"session_name":        awsText("Name of the session."),
			"source_identity":     awsText("Identity that is kept for the session."),
			"tags":                awsTags("Tags of the session."),
			"transitive_tag_keys": awsSet("Keys of tags that are passed on to further roles."),
		}},
	}
}

func awsWebIdentity() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Role to assume with the token of an identity provider. HCP Terraform's dynamic credentials need nothing here: they come by the environment, or by `shared_config_files` where there are several.",
		Attributes: map[string]schema.Attribute{
			"duration":                awsText("How long a session lasts, such as `1h`.", goDuration{}),
			"policy":                  awsText("Policy in JSON that narrows the session's rights."),
			"policy_arns":             awsSet("Managed policies that narrow the session's rights."),
			"role_arn":                awsText("ARN of the role. Also from `AWS_ROLE_ARN`."),
			"session_name":            awsText("Name of the session. Also from `AWS_ROLE_SESSION_NAME`."),
			"web_identity_token_file": awsText("File with the token. Also from `AWS_WEB_IDENTITY_TOKEN_FILE`."),
		},
	}
}
