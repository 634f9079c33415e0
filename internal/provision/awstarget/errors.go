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

// refusal is an error of AWS with what may be the reason.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func (r refusal) Error() string {
	return fmt.Sprintf("%v (the documented policies let only what bears the tag %s = %q be changed: if it was taken off, put it back by hand)", r.error, tagManagedBy, managedBy)
}

// explained adds to a refusal that a tag may be missing which policies go by. AWS does not say so.
func explained(err error) error {
	var known refusal
	var operation *smithy.OperationError
	if errors.As(err, &known) || !coded(err, "UnauthorizedOperation", "AccessDenied", "AccessDeniedException") || !errors.As(err, &operation) {
		return err
	}
	reads := slices.ContainsFunc([]string{"Describe", "Get", "List"}, func(p string) bool { return strings.HasPrefix(operation.Operation(), p) })
	if reads || !slices.Contains(byTag, operation.Service()) {
		return err
	}
	return refusal{err}
}

func isAbsent(err error) bool { return errors.Is(err, errAbsent) }
