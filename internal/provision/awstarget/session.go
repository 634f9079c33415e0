package awstarget

import (
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// defaultMaxRetries is the AWS provider's.
const defaultMaxRetries = 25

// session signs in when it is first needed, and makes the clients of each AWS region once.
type session struct {
	settings Settings
	options  Options
	pace     wait.Options
	look     *look // of those who may be answered by what was seen before

	mu      sync.Mutex
	signed  *signedIn
	regions map[string]*clients
}

// signedIn is what AWS said of the credentials.
type signedIn struct {
	config             aws.Config
	account, partition string
	doors              *http.Transport
}

func newSession(s Settings, o Options, pace wait.Options) *session {
	return &session{settings: s, options: o, pace: pace, look: &look{clock: o.Clock, shared: true}, regions: map[string]*clients{}}
}

// home returns the clients of the installation's home.
func (s *session) home(ctx context.Context) (*clients, error) { return s.in(ctx, "") }

// in returns the clients of an AWS region.
func (s *session) in(ctx context.Context, region string) (*clients, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signed == nil {
		signed, err := s.signIn(ctx)
		if err != nil {
			return nil, err
		}
		s.signed = signed
	}
	if region == "" {
		region = s.signed.config.Region
	}
	c, ok := s.regions[region]
	if !ok {
		c = newClients(*s.signed, region, s.settings, s.pace)
		s.regions[region] = c
	}
	return c, nil
}

func (s *session) signIn(ctx context.Context) (*signedIn, error) {
	base := s.base()
	ctx, config, diags := awsbase.GetAwsConfig(ctx, base)
	if diags.HasError() {
		return nil, s.settings.noCredentials(diags)
	}
	if config.Region == "" {
		return nil, signInError(target.ErrInvalid, "the AWS region that is the installation's home is not set: set region in the aws block of the provider (--region for a command), or AWS_REGION")
	}
	if !s.settings.knows(config.Region) { // the environment's or the profile's: that of the settings was checked
		return nil, signInError(target.ErrInvalid, "the AWS region that is the installation's home, from AWS_REGION, AWS_DEFAULT_REGION or the profile: %s", noRegion(config.Region))
	}
	config.Logger = logging.Nop{} // Terraform shows what a provider writes as an error of its own
	config.APIOptions = append(config.APIOptions, s.share, plainBodies)
	if s.options.Inspect != nil {
		config.APIOptions = append(config.APIOptions, s.options.Inspect)
	}
	doors, err := newDoor(config, expanded(s.settings.CustomCABundle))
	if err != nil {
		return nil, err
	}
	if s.options.Transport != nil {
		config.HTTPClient = &http.Client{Transport: s.options.Transport(transport(config))}
	}
	base.SkipCredsValidation = s.settings.SkipCredentialsValidation // else this is what asks STS
	account, partition, diags := awsbase.GetAwsAccountIDAndPartition(ctx, config, base)
	if diags.HasError() {
		return nil, s.settings.noAnswer(diags, sourceOf(ctx, config))
	}
	if err := base.VerifyAccountIDAllowed(account); err != nil {
		return nil, s.settings.ruledOut(account, sourceOf(ctx, config))
	}
	return &signedIn{config: config, account: account, partition: partition, doors: doors}, nil
}

// transport is what a configuration sends its requests with.
func transport(c aws.Config) http.RoundTripper {
	if b, ok := c.HTTPClient.(*awshttp.BuildableClient); ok {
		return b.GetTransport()
	}
	return http.DefaultTransport
}

// base is the settings as aws-sdk-go-base takes them. The credentials are asked who they are
// once, when the account is told.
func (s *session) base() *awsbase.Config {
	in := s.settings
	c := &awsbase.Config{
		AllowedAccountIds: in.AllowedAccountIDs, ForbiddenAccountIds: in.ForbiddenAccountIDs,
		CallerDocumentationURL: "https://registry.terraform.io/providers/slipway-platform/slipway/latest/docs",
		CallerName:             "Slipway provider",
		CustomCABundle:         in.CustomCABundle, Insecure: in.Insecure,
		HTTPProxy: in.HTTPProxy, HTTPSProxy: in.HTTPSProxy, NoProxy: in.NoProxy, HTTPProxyMode: awsbase.HTTPProxyModeSeparate,
		EC2MetadataServiceEndpoint: in.EC2MetadataServiceEndpoint, EC2MetadataServiceEndpointMode: in.EC2MetadataServiceEndpointMode,
		IamEndpoint: in.Endpoints["iam"], SsoEndpoint: in.Endpoints["sso"], StsEndpoint: in.Endpoints["sts"], StsRegion: in.STSRegion,
		MaxRetries: in.MaxRetries, RetryMode: aws.RetryMode(in.RetryMode),
		Profile: in.Profile, Region: in.Region,
		SharedConfigFiles: in.SharedConfigFiles, SharedCredentialsFiles: in.SharedCredentialsFiles,
		SkipCredsValidation: true, SuppressDebugLog: true,
		UseDualStackEndpoint: in.UseDualStackEndpoint, UseFIPSEndpoint: in.UseFIPSEndpoint,
		UserAgent: awsbase.UserAgentProducts{{Name: "terraform-provider-slipway", Version: in.Version}},
	}
	if c.MaxRetries == 0 {
		c.MaxRetries = defaultMaxRetries
	}
	if in.SkipMetadataAPICheck {
		c.EC2MetadataServiceEnableState = imds.ClientDisabled
	}
	for _, r := range in.AssumeRole {
		c.AssumeRole = append(c.AssumeRole, awsbase.AssumeRole(r))
	}
	if w := in.AssumeRoleWithWebIdentity; w != nil {
		c.AssumeRoleWithWebIdentity = &awsbase.AssumeRoleWithWebIdentity{
			RoleARN: w.RoleARN, Duration: w.Duration, Policy: w.Policy, PolicyARNs: w.PolicyARNs,
			SessionName: w.SessionName, WebIdentityTokenFile: w.WebIdentityTokenFile,
		}
	}
	return c
}
