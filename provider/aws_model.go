package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
)

type awsModel struct {
	AllowedAccountIDs              types.Set    `tfsdk:"allowed_account_ids"`
	AssumeRole                     types.List   `tfsdk:"assume_role"`
	AssumeRoleWithWebIdentity      types.Object `tfsdk:"assume_role_with_web_identity"`
	CustomCABundle                 types.String `tfsdk:"custom_ca_bundle"`
	DatabaseCABundle               types.String `tfsdk:"database_ca_bundle"`
	DefaultTags                    types.Object `tfsdk:"default_tags"`
	DomainName                     types.String `tfsdk:"domain_name"`
	EC2MetadataServiceEndpoint     types.String `tfsdk:"ec2_metadata_service_endpoint"`
	EC2MetadataServiceEndpointMode types.String `tfsdk:"ec2_metadata_service_endpoint_mode"`
	Endpoints                      types.Map    `tfsdk:"endpoints"`
	ForbiddenAccountIDs            types.Set    `tfsdk:"forbidden_account_ids"`
	HTTPProxy                      types.String `tfsdk:"http_proxy"`
	HTTPSProxy                     types.String `tfsdk:"https_proxy"`
	Insecure                       types.Bool   `tfsdk:"insecure"`
	MaxRetries                     types.Int64  `tfsdk:"max_retries"`
	NoProxy                        types.String `tfsdk:"no_proxy"`
	Profile                        types.String `tfsdk:"profile"`
	Region                         types.String `tfsdk:"region"`
	RetryMode                      types.String `tfsdk:"retry_mode"`
	S3UsePathStyle                 types.Bool   `tfsdk:"s3_use_path_style"`
	SharedConfigFiles              types.List   `tfsdk:"shared_config_files"`
	SharedCredentialsFiles         types.List   `tfsdk:"shared_credentials_files"`
	SkipCredentialsValidation      types.Bool   `tfsdk:"skip_credentials_validation"`
	SkipMetadataAPICheck           types.Bool   `tfsdk:"skip_metadata_api_check"`
	SkipRegionValidation           types.Bool   `tfsdk:"skip_region_validation"`
	STSRegion                      types.String `tfsdk:"sts_region"`
	UseDualstackEndpoint           types.Bool   `tfsdk:"use_dualstack_endpoint"`
	UseFIPSEndpoint                types.Bool   `tfsdk:"use_fips_endpoint"`
}

type assumeRoleModel struct {
	Duration          types.String `tfsdk:"duration"`
	ExternalID        types.String `tfsdk:"external_id"`
	Policy            types.String `tfsdk:"policy"`
	PolicyARNs        types.Set    `tfsdk:"policy_arns"`
	RoleARN           types.String `tfsdk:"role_arn"`
	SessionName       types.String `tfsdk:"session_name"`
	SourceIdentity    types.String `tfsdk:"source_identity"`
	Tags              types.Map    `tfsdk:"tags"`
	TransitiveTagKeys types.Set    `tfsdk:"transitive_tag_keys"`
}

type webIdentityModel struct {
	Duration             types.String `tfsdk:"duration"`
	Policy               types.String `tfsdk:"policy"`
	PolicyARNs           types.Set    `tfsdk:"policy_arns"`
	RoleARN              types.String `tfsdk:"role_arn"`
	SessionName          types.String `tfsdk:"session_name"`
	WebIdentityTokenFile types.String `tfsdk:"web_identity_token_file"`
}

type defaultTagsModel struct {
	Tags types.Map `tfsdk:"tags"`
}

// settings converts a block that is fully known. The SDK reads the environment variables that
// stand in for most of it itself.
func (m awsModel) settings(ctx context.Context, getenv func(string) string, diags *diag.Diagnostics) *awstarget.Settings {
	or := func(v types.String, variable string) string {
		if v.IsNull() {
			return getenv(variable)
		}
		return v.ValueString()
	}
	s := &awstarget.Settings{
		AllowedAccountIDs:              stringList(m.AllowedAccountIDs.Elements()),
		CustomCABundle:                 m.CustomCABundle.ValueString(),
		DatabaseCABundle:               or(m.DatabaseCABundle, "SLIPWAY_DATABASE_CA_BUNDLE"),
		EC2MetadataServiceEndpoint:     m.EC2MetadataServiceEndpoint.ValueString(),
		EC2MetadataServiceEndpointMode: m.EC2MetadataServiceEndpointMode.ValueString(),
		Endpoints:                      stringMap(ctx, m.Endpoints, diags),
		ForbiddenAccountIDs:            stringList(m.ForbiddenAccountIDs.Elements()),
		HTTPProxy:                      m.HTTPProxy.ValueStringPointer(),
		HTTPSProxy:                     m.HTTPSProxy.ValueStringPointer(),
		Insecure:                       m.Insecure.ValueBool(),
		MaxRetries:                     int(m.MaxRetries.ValueInt64()),
		NoProxy:                        m.NoProxy.ValueString(),
		Profile:                        m.Profile.ValueString(),
		Region:                         m.Region.ValueString(),
		RetryMode:                      m.RetryMode.ValueString(),
		S3UsePathStyle:                 m.S3UsePathStyle.ValueBool(),
		SharedConfigFiles:              stringList(m.SharedConfigFiles.Elements()),
		SharedCredentialsFiles:         stringList(m.SharedCredentialsFiles.Elements()),
		SkipCredentialsValidation:      m.SkipCredentialsValidation.ValueBool(),
		SkipMetadataAPICheck:           m.SkipMetadataAPICheck.ValueBool(),
		SkipRegionValidation:           m.SkipRegionValidation.ValueBool(),
		STSRegion:                      m.STSRegion.ValueString(),
		UseDualStackEndpoint:           m.UseDualstackEndpoint.ValueBool(),
		UseFIPSEndpoint:                m.UseFIPSEndpoint.ValueBool(),
	}
	if t := nested[defaultTagsModel](ctx, m.DefaultTags, diags); t != nil {
		s.DefaultTags = stringMap(ctx, t.Tags, diags)
	}
	var roles []assumeRoleModel
	if !m.AssumeRole.IsNull() {
		diags.Append(m.AssumeRole.ElementsAs(ctx, &roles, false)...)
	}
	for _, r := range roles {
		s.AssumeRole = append(s.AssumeRole, awstarget.AssumeRole{
			RoleARN: r.RoleARN.ValueString(), Duration: duration(r.Duration), ExternalID: r.ExternalID.ValueString(),
			Policy: r.Policy.ValueString(), PolicyARNs: stringList(r.PolicyARNs.Elements()), SessionName: r.SessionName.ValueString(),
			SourceIdentity: r.SourceIdentity.ValueString(), Tags: stringMap(ctx, r.Tags, diags),
			TransitiveTagKeys: stringList(r.TransitiveTagKeys.Elements()),
		})
	}
	if w := nested[webIdentityModel](ctx, m.AssumeRoleWithWebIdentity, diags); w != nil {
		s.AssumeRoleWithWebIdentity = &awstarget.WebIdentity{
			RoleARN: or(w.RoleARN, "AWS_ROLE_ARN"), Duration: duration(w.Duration), Policy: w.Policy.ValueString(),
			PolicyARNs: stringList(w.PolicyARNs.Elements()), SessionName: or(w.SessionName, "AWS_ROLE_SESSION_NAME"),
			WebIdentityTokenFile: or(w.WebIdentityTokenFile, "AWS_WEB_IDENTITY_TOKEN_FILE"),
		}
	}
	return s
}

// duration is a duration that was validated; none is 0, the service's own default.
func duration(v types.String) time.Duration {
	d, err := time.ParseDuration(v.ValueString())
	if err != nil {
		return 0
	}
	return d
}

// goDuration wants the length of a session, in the AWS provider's form.
type goDuration struct{}

// Description says what is allowed.
func (goDuration) Description(context.Context) string {
	return "a duration of 15 minutes to 12 hours such as 1h30m"
}

// MarkdownDescription says what is allowed.
func (v goDuration) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString refuses what is no duration that STS has sessions of.
func (v goDuration) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !given(req.ConfigValue) {
		return
	}
	d, err := time.ParseDuration(req.ConfigValue.ValueString())
	if err != nil || d < 15*time.Minute || d > 12*time.Hour {
		invalid(&resp.Diagnostics, invalidValue, req.Path, "%s is not a session's length: expected %s", req.ConfigValue, v.Description(ctx))
	}
}
