package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errAbsent is what find… returns for a thing that is not there.
var errAbsent = errors.New("is not there")

// coded says whether AWS answered with one of these error codes.
func coded(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// turnedDown says that AWS has answered a try that it does not do what it was asked.
func turnedDown(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500
}

// absent turns the codes that a service has for what is not there into errAbsent.
func absent(err error, codes ...string) error {
	if coded(err, codes...) {
		return errAbsent
	}
	return err
}

// unknown says whether EC2 does not know something that was named to it: it has a code for each kind.
func unknown(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasSuffix(api.ErrorCode(), "NotFound")
}

// gone is the result of a deletion: what is not there needs none.
func gone(err error, codes ...string) error {
	if coded(err, codes...) || errors.Is(err, errAbsent) {
		return nil
	}
	return err
}

// passing are codes after which the same call may work, beside those that the SDK knows: something else was
// under way with the same thing (DynamoDB, CloudWatch Logs, Application Auto Scaling), or the service could not
// look at what it needs (Application Auto Scaling).
var passing = []string{
	"TransactionConflictException", "OperationAbortedException", "ConcurrentUpdateException", "FailedResourceAccessException",
}

// retryable says of errors whether the same call may work.
var retryable = retry.IsErrorRetryables(append(slices.Clone(retry.DefaultRetryables), retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	if coded(err, passing...) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
})))

// failed wraps an error of AWS. What another try may mend matches target.ErrUnavailable.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	err = explained(err)
	err = fmt.Errorf(format+": %w", append(args, err)...)
	if retryable.IsErrorRetryable(err) == aws.TrueTernary && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(err, target.ErrUnavailable)
	}
	return err
}

// byTag are the services whose resources have names of AWS's own: the policies that we document go by a tag.
var byTag = []string{ec2.ServiceID, elb.ServiceID, acm.ServiceID, kms.ServiceID}

// refusal is an error of AWS with what to do about it. It matches the sentinel, if there is one.
type refusal struct {
	error
	remedy   string
	sentinel error
}

func (r refusal) Unwrap() []error {
	if r.sentinel == nil {
		return []error{r.error}
	}
	return []error{r.error, r.sentinel}
}

func (r refusal) Error() string { return fmt.Sprintf("%v (%s)", r.error, r.remedy) }

// signedOut are the codes for credentials that are no longer good, of services and of who gives some out.
var signedOut = []string{
	"AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidGrantException", "InvalidToken",
	"RequestExpired", "UnrecognizedClientException",
}

// explained adds to a refusal what AWS does not say: where the credentials or the policy come from that it asks for,
// and that a tag may be missing which policies go by.
func explained(err error) error {
	var known refusal
	var operation *smithy.OperationError
	switch {
	case errors.As(err, &known):
		return err
	case coded(err, signedOut...):
		return refusal{err, "the credentials are not good any more: sign in again, such as with \"aws sso login\", or give the run a session that lasts longer, and run it again, which goes on from here", target.ErrSignIn}
	case !coded(err, "UnauthorizedOperation", "AccessDenied", "AccessDeniedException") || !errors.As(err, &operation):
		return err
	case reads(operation.Operation()):
		return refusal{err, "the documented policy plan.json allows it: " + comparePolicies, nil}
	}
	remedy := "of the documented policies an apply needs all, plan.json, apply-network.json, apply-data.json and apply-stacks.json: " + comparePolicies
	if slices.Contains(byTag, operation.Service()) {
		remedy += fmt.Sprintf(". They let only what bears the tag %s = %q be changed: if it was taken off, put it back by hand", tagManagedBy, managedBy)
	}
	return refusal{err, remedy, nil}
}

const comparePolicies = "compare what the role has with \"What the provider may do on AWS\" in the provider's documentation; something else may deny it too, such as a service control policy"

// reads says of an operation whether the policy of plans has it.
func reads(operation string) bool {
	return operation != "GetSecretValue" && operation != "GetLogEvents" && slices.ContainsFunc([]string{"Describe", "Get", "List", "Head", "Query", "BatchGet"}, func(p string) bool { return strings.HasPrefix(operation, p) })
}

func isAbsent(err error) bool { return errors.Is(err, errAbsent) }
