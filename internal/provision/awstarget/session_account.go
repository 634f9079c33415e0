package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ruledOut refuses the AWS account that the credentials are of: whose they are, why that is not to be,
// and what to do.
func (s Settings) ruledOut(account, source string) error {
	whose := fmt.Sprintf("the credentials are of AWS account %s", account)
	if from := s.origin(source); from != "" {
		whose += ", and come from " + from
	}
	const use = "use credentials of another AWS account, such as by profile or assume_role"
	if slices.Contains(s.ForbiddenAccountIDs, account) {
		return signInError(target.ErrInvalid, "%s. forbidden_account_ids of the provider's aws block forbids it, so nothing was looked at or changed: %s, or take %q off forbidden_account_ids", whose, use, account)
	}
	return signInError(target.ErrInvalid, "%s. allowed_account_ids of the provider's aws block allows %q only, so nothing was looked at or changed: %s, or add %q to allowed_account_ids", whose, s.AllowedAccountIDs, use, account)
}

// sourceOf is the SDK's word for where credentials came from, "" if it does not know.
func sourceOf(ctx context.Context, c aws.Config) string {
	if c.Credentials == nil {
		return ""
	}
	found, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return ""
	}
	return found.Source
}

// origin says in words where credentials came from, "" if that is not known.
func (s Settings) origin(source string) string {
	if n := len(s.AssumeRole); n > 0 {
		return fmt.Sprintf("assume_role, role %q", s.AssumeRole[n-1].RoleARN)
	}
	name, rest, _ := strings.Cut(source, ":")
	switch name {
	case "EnvConfigCredentials":
		return "the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case "SharedConfigCredentials":
		return "the shared file" + rest
	case "WebIdentityCredentials":
		return "a role that was assumed with a web identity"
	case "AssumeRoleProvider":
		return "a role that the profile assumes"
	case "SSOProvider":
		return "IAM Identity Center, by the profile"
	case "ProcessProvider":
		return "the credential_process of the profile"
	case "CredentialsEndpointProvider":
		return "the role of the container"
	case "EC2RoleProvider":
		return "the role of the EC2 instance"
	}
	return source
}
