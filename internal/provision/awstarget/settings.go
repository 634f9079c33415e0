package awstarget

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/smithy-go/middleware"

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
	// KeepDefaultTags says that they are not known here: those of the last apply stay, also on what is made
	// anew of a slot.
	KeepDefaultTags bool

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
