package operator

import (
	"errors"
	"flag"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
)

// awsFlag is the flag for an attribute of the provider's aws block.
func awsFlag(attribute string) string { return strings.ReplaceAll(attribute, "_", "-") }

// flagAt is the flag of what the path of a fault is about: a role's settings have flags of their own.
func flagAt(path string) string {
	attribute, below, _ := strings.Cut(path, ".")
	if _, of, ok := strings.Cut(below, "."); ok && attribute == "assume_role" && of != "role_arn" {
		attribute += "_" + of
	}
	return awsFlag(attribute)
}

// registerAWS adds the attributes of the provider's aws block as flags. What none gives comes from
// the environment and the shared files, as it does for the provider.
func (s *settings) registerAWS(flags *flag.FlagSet) {
	a := &s.AWS
	add := func(attribute, usage string, set func(string) error) {
		name := awsFlag(attribute)
		flags.Func(name, usage, func(v string) error { s.awsGiven = name; return set(v) })
	}
	text := func(attribute string, to *string, usage string) {
		add(attribute, usage, func(v string) error { *to = v; return nil })
	}
	texts := func(attribute string, to *[]string, usage string) {
		add(attribute, usage+"; may be given again", func(v string) error { *to = append(*to, v); return nil })
	}
	pairs := func(attribute string, to *map[string]string, usage string) {
		add(attribute, usage+"; may be given again", func(v string) error { return addPair(to, v) })
	}
	flagged := func(attribute string, to *bool, usage string) {
		name := awsFlag(attribute)
		flags.BoolFunc(name, usage, func(v string) error { s.awsGiven = name; *to = v != "false"; return nil })
	}
	text("region", &a.Region, "`AWS-REGION` that is the installation's home (default: $AWS_REGION, else the profile's)")
	text("profile", &a.Profile, "`PROFILE` of the shared files (default: $AWS_PROFILE)")
	texts("shared_config_files", &a.SharedConfigFiles, "shared configuration `FILE` (default: $AWS_CONFIG_FILE, else ~/.aws/config)")
	texts("shared_credentials_files", &a.SharedCredentialsFiles, "shared credentials `FILE` (default: $AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials)")
	registerRoles(&a.AssumeRole, add)
	texts("allowed_account_ids", &a.AllowedAccountIDs, "`ID` of an AWS account that may be used; any other is refused")
	texts("forbidden_account_ids", &a.ForbiddenAccountIDs, "`ID` of an AWS account that must not be used")
	pairs("endpoints", &a.Endpoints, "`SERVICE=URL`, such as dynamodb=https://… (default: $AWS_ENDPOINT_URL and $AWS_ENDPOINT_URL_<SERVICE>)")
	text("custom_ca_bundle", &a.CustomCABundle, "`FILE` with certificates of authorities to trust (default: $AWS_CA_BUNDLE)")
	text("database_ca_bundle", &a.DatabaseCABundle, "`FILE` with the certificates of RDS's authorities, for direct connections to databases (default: $SLIPWAY_DATABASE_CA_BUNDLE)")
	add("http_proxy", "`URL` of a proxy for HTTP, empty for none (default: $HTTP_PROXY)", func(v string) error { a.HTTPProxy = &v; return nil })
	add("https_proxy", "`URL` of a proxy for HTTPS, empty for none (default: $HTTPS_PROXY)", func(v string) error { a.HTTPSProxy = &v; return nil })
	text("no_proxy", &a.NoProxy, "`HOSTS` that are reached without a proxy (default: $NO_PROXY)")
	flagged("insecure", &a.Insecure, "do not check certificates")
	add("max_retries", "how often a request is sent at most, `1 to 1000` (default: 25)", func(v string) error {
		var err error
		a.MaxRetries, err = strconv.Atoi(v)
		return err
	})
	text("retry_mode", &a.RetryMode, "`standard or adaptive` (default: $AWS_RETRY_MODE)")
	text("ec2_metadata_service_endpoint", &a.EC2MetadataServiceEndpoint, "`URL` of the EC2 metadata service (default: $AWS_EC2_METADATA_SERVICE_ENDPOINT)")
	text("ec2_metadata_service_endpoint_mode", &a.EC2MetadataServiceEndpointMode, "`IPv4 or IPv6` (default: $AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE)")
	text("sts_region", &a.STSRegion, "`AWS-REGION` whose STS is used (default: the home)")
	flagged("s3_use_path_style", &a.S3UsePathStyle, "name buckets in the path, as emulators need it")
	flagged("skip_credentials_validation", &a.SkipCredentialsValidation, "do not ask STS whose the credentials are")
	flagged("skip_metadata_api_check", &a.SkipMetadataAPICheck, "do not use the EC2 metadata service")
	flagged("skip_region_validation", &a.SkipRegionValidation, "allow a region that this version does not know")
	flagged("use_dualstack_endpoint", &a.UseDualStackEndpoint, "use endpoints with IPv6")
	flagged("use_fips_endpoint", &a.UseFIPSEndpoint, "use FIPS endpoints")
}

// registerRoles adds the flags of a chain of roles: what follows a role is about it.
func registerRoles(chain *[]awstarget.AssumeRole, add func(attribute, usage string, set func(string) error)) {
	add("assume_role", "`ARN` of a role to assume; given again, with the credentials of the one before", func(v string) error {
		*chain = append(*chain, awstarget.AssumeRole{RoleARN: v})
		return nil
	})
	about := func(attribute, usage string, set func(*awstarget.AssumeRole, string) error) {
		add(attribute, usage, func(v string) error {
			if len(*chain) == 0 {
				return errors.New("it is about the --assume-role before it, and there is none")
			}
			return set(&(*chain)[len(*chain)-1], v)
		})
	}
	about("assume_role_external_id", "`ID` that the role before it asks for", func(r *awstarget.AssumeRole, v string) error { r.ExternalID = v; return nil })
	about("assume_role_session_name", "`NAME` of the session with the role before it", func(r *awstarget.AssumeRole, v string) error { r.SessionName = v; return nil })
	about("assume_role_source_identity", "`IDENTITY` that is kept for the session with the role before it", func(r *awstarget.AssumeRole, v string) error { r.SourceIdentity = v; return nil })
	about("assume_role_duration", "`DURATION` of the session with the role before it, such as 1h", func(r *awstarget.AssumeRole, v string) error {
		var err error
		r.Duration, err = time.ParseDuration(v)
		return err
	})
}

// addPair adds KEY=VALUE.
func addPair(to *map[string]string, v string) error {
	key, value, ok := strings.Cut(v, "=")
	if !ok || key == "" {
		return errors.New("expected NAME=VALUE")
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[key] = value
	return nil
}
