package awstarget

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// Settings say how to reach AWS. The names, what each is when it is left out, and the
// environment variables that stand in for it are those of the AWS provider for Terraform.
type Settings struct {
	// Region is the AWS region that is the installation's home.
	Region  string
	Profile string

	SharedConfigFiles      []string
	SharedCredentialsFiles []string
	// AssumeRole is a chain: each role is assumed with the credentials of the one before.
	AssumeRole                []AssumeRole
	AssumeRoleWithWebIdentity *WebIdentity

	AllowedAccountIDs   []string
	ForbiddenAccountIDs []string
	// DefaultTags are put on everything that can be tagged.
	DefaultTags map[string]string

	CustomCABundle string
	// DatabaseCABundle is a file with certificates in PEM, of whose holders certificates of database
	// clusters may be, beside those that the system trusts. Direct connections need it.
	DatabaseCABundle string
	Insecure         bool
	// HTTPProxy and HTTPSProxy are nil where they were not given: "" is "none".
	HTTPProxy, HTTPSProxy *string
	NoProxy               string

	// Endpoints are URLs by the AWS provider's names of services, such as "kms".
	Endpoints                      map[string]string
	EC2MetadataServiceEndpoint     string
	EC2MetadataServiceEndpointMode string
	S3UsePathStyle                 bool
	STSRegion                      string
	UseDualStackEndpoint           bool
	UseFIPSEndpoint                bool

	// MaxRetries is 25 where it is 0.
	MaxRetries int
	RetryMode  string

	SkipCredentialsValidation bool
	SkipMetadataAPICheck      bool
	SkipRegionValidation      bool

	// Version is the provider's, for the User-Agent header.
	Version string
}

// AssumeRole is one role of a chain.
type AssumeRole struct {
	RoleARN           string
	Duration          time.Duration
	ExternalID        string
	Policy            string
	PolicyARNs        []string
	SessionName       string
	SourceIdentity    string
	Tags              map[string]string
	TransitiveTagKeys []string
}

// WebIdentity is a role that is assumed with a token of an identity provider.
type WebIdentity struct {
	RoleARN              string
	Duration             time.Duration
	Policy               string
	PolicyARNs           []string
	SessionName          string
	WebIdentityTokenFile string
}

var (
	accountIDRegexp = regexp.MustCompile(`^[0-9]{12}$`)
	roleRegexp      = regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:role/.+$`)
)

// services are those that are used, by the AWS provider's names.
var services = []string{"acm", "applicationautoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "elbv2", "iam", "kms", "logs", "rds", "rdsdata", "route53", "s3", "secretsmanager", "sso", "sts"}

// Validate returns every fault of the settings, without asking AWS.
func (s Settings) Validate() target.Faults {
	var f target.Faults
	add := func(path, format string, args ...any) {
		f = append(f, target.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	for path, ids := range map[string][]string{"allowed_account_ids": s.AllowedAccountIDs, "forbidden_account_ids": s.ForbiddenAccountIDs} {
		for _, id := range ids {
			if !accountIDRegexp.MatchString(id) {
				add(path, "%q is not the id of an AWS account: expected twelve digits", id)
			}
		}
	}
	if len(s.AllowedAccountIDs) > 0 && len(s.ForbiddenAccountIDs) > 0 {
		add("forbidden_account_ids", "allowed_account_ids is there too: what it does not list is forbidden already; remove one of them")
	}
	for _, r := range s.AssumeRole {
		if !roleRegexp.MatchString(r.RoleARN) {
			add("assume_role", "%q is not the ARN of a role: expected such as \"arn:aws:iam::123456789012:role/terraform\"", r.RoleARN)
		}
	}
	if w := s.AssumeRoleWithWebIdentity; w != nil && (w.RoleARN == "" || w.WebIdentityTokenFile == "") {
		add("assume_role_with_web_identity", "it needs role_arn (or AWS_ROLE_ARN) and web_identity_token_file (or AWS_WEB_IDENTITY_TOKEN_FILE)")
	}
	for path, value := range map[string]struct {
		got     string
		allowed []string
	}{
		"ec2_metadata_service_endpoint_mode": {s.EC2MetadataServiceEndpointMode, []string{"", "IPv4", "IPv6"}},
		"retry_mode":                         {s.RetryMode, []string{"", "standard", "adaptive"}},
	} {
		if !slices.Contains(value.allowed, value.got) {
			add(path, "%q is not allowed: expected one of %q", value.got, value.allowed[1:])
		}
	}
	if _, err := s.databaseRoots(); err != nil {
		add("database_ca_bundle", "%s", err)
	}
	if s.MaxRetries < 0 || s.MaxRetries > 1000 {
		add("max_retries", "%d is out of range: expected 1 to 1000", s.MaxRetries)
	}
	for _, t := range target.ValidateTags(s.DefaultTags) {
		add("default_tags", "%s: %s", t.Path, t.Message)
	}
	for _, name := range target.SortedKeys(s.Endpoints) {
		if !slices.Contains(services, name) {
			add("endpoints", "%q is not a service that is used: expected one of %q", name, services)
		}
		if u, err := url.Parse(s.Endpoints[name]); err != nil || u.Scheme == "" || u.Host == "" {
			add("endpoints", "%q is not a URL: expected such as \"https://dynamodb.example.com\" for %s", s.Endpoints[name], name)
		}
	}
	return f
}

// Options are for tests; the zero value works.
type Options struct {
	// Clock is the machine's if nil.
	Clock wait.Clock
	// Pace is the longest pause between two looks at something that AWS is making.
	Pace time.Duration
	// ScheduleLead is how long before its time a scheduled action is set at the latest, 2 minutes
	// if zero; half of it is how exact its time is.
	ScheduleLead time.Duration
	// MeterPeriod is the time that a load balancer's requests are counted by, a minute if zero.
	MeterPeriod time.Duration
	// DialDatabase connects to a database cluster; nil: as usual.
	DialDatabase func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport wraps what carries the requests.
	Transport func(http.RoundTripper) http.RoundTripper
	// Inspect is added to the steps of every call.
	Inspect func(*middleware.Stack) error
}
