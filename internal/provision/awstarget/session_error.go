package awstarget

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	"github.com/hashicorp/aws-sdk-go-base/v2/diag"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// unsigned is why nothing can be asked of AWS, in words for people. It matches [target.ErrSignIn], and
// its cause.
type unsigned struct {
	message string
	cause   error
}

func (e *unsigned) Error() string   { return e.message }
func (e *unsigned) Unwrap() []error { return []error{target.ErrSignIn, e.cause} }

func signInError(cause error, format string, args ...any) error {
	return &unsigned{fmt.Sprintf(format, args...), cause}
}

// noCredentials says why there are no credentials, and where some can come from.
func (s Settings) noCredentials(diags diag.Diagnostics) error {
	err := problem(diags)
	var profile config.SharedConfigProfileNotExistError
	var refused smithy.APIError
	switch {
	case isBusy(err):
		return busySTS(err)
	case errors.As(err, &profile):
		return signInError(err, "there is no profile %q in %s: name one that is there in profile of the provider's aws block, or in AWS_PROFILE; or name the file that has it in shared_config_files, where its heading is [profile %[1]s], or in shared_credentials_files, where it is [%[1]s] (%[3]v)", profile.Profile, s.sharedFiles(), err)
	case slices.ContainsFunc(diags, awsbase.IsCannotAssumeRoleError):
		var roles []string
		for _, r := range s.AssumeRole {
			roles = append(roles, r.RoleARN)
		}
		return signInError(err, "a role of assume_role %q of the provider's aws block can't be assumed: its trust policy has to name who asks, who asks needs sts:AssumeRole for it, and the credentials before it must be good (%v)", roles, err)
	case errors.As(err, &refused):
		return signInError(err, "AWS gives no credentials: %v. Compare the role and its trust policy with who asks, and whether a token or a session has ended", err)
	case awsbase.ContainsNoValidCredentialSourcesError(diags):
		return signInError(err, "no credentials for AWS were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile that has some in profile of the provider's aws block or AWS_PROFILE, or run where a role gives them (%v)", err)
	}
	return signInError(err, "sign in to AWS: %v", err)
}

// sharedFiles names the shared files of AWS that are read.
func (s Settings) sharedFiles() string {
	if named := slices.Concat(s.SharedConfigFiles, s.SharedCredentialsFiles); len(named) > 0 {
		return fmt.Sprintf("the shared files of AWS, of which %q are named in the provider's aws block", named)
	}
	return "the shared files of AWS"
}

// noAnswer says why STS does not tell whose the credentials are.
func (s Settings) noAnswer(diags diag.Diagnostics, source string) error {
	err := problem(diags)
	from := s.origin(source)
	if from == "" {
		from = "an unknown place"
	}
	var refused smithy.APIError
	if isBusy(err) {
		return busySTS(err)
	}
	if errors.As(err, &refused) {
		return signInError(err, "AWS refuses the credentials, which come from %s: %v. They may have ended, or be of another partition of AWS: renew them, or use others", from, err)
	}
	return signInError(err, "STS, which tells whose the credentials are, can't be reached from here: %v. Look at the network, and at https_proxy, no_proxy, custom_ca_bundle, sts_region and endpoints of the provider's aws block", err)
}

// isBusy says whether AWS has answered, and neither yes nor no: it was asked too often, or something is wrong there.
func isBusy(err error) bool {
	var answered smithy.APIError
	return errors.As(err, &answered) && retryable.IsErrorRetryable(err) == aws.TrueTernary
}

// busySTS matches [target.ErrUnavailable] too.
func busySTS(err error) error {
	return signInError(errors.Join(err, target.ErrUnavailable), "AWS was asked whose the credentials are, and could not say so now, because of too many requests or an error of its own: %v. The credentials were not refused. Try again in a minute; where many runs sign in at the same time, raise max_retries of the provider's aws block or run fewer at once", err)
}

// problem joins the errors of diagnostics.
func problem(diags diag.Diagnostics) error {
	var errs []error
	for _, d := range diags.Errors() {
		if native, ok := d.(diag.DiagnosticWithErr); ok {
			errs = append(errs, native.Err())
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %s", d.Summary(), d.Detail()))
	}
	return errors.Join(errs...)
}
