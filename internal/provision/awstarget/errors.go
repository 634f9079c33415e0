package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errAbsent is what find… returns for a thing that is not there.
var errAbsent = errors.New("is not there")

// coded says whether AWS answered with one of these error codes.
func coded(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// absent turns the codes that a service has for what is not there into errAbsent.
func absent(err error, codes ...string) error {
	if coded(err, codes...) {
		return errAbsent
	}
	return err
}

// gone is the result of a deletion: what is not there needs none.
func gone(err error, codes ...string) error {
	if coded(err, codes...) || errors.Is(err, errAbsent) {
		return nil
	}
	return err
}

// retryable says what the SDK says of errors after which the same call may work.
var retryable = retry.IsErrorRetryables(retry.DefaultRetryables)

// failed wraps an error of AWS. What another try may mend matches target.ErrUnavailable.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf(format+": %w", append(args, err)...)
	if retryable.IsErrorRetryable(err) == aws.TrueTernary && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(err, target.ErrUnavailable)
	}
	return err
}

func isAbsent(err error) bool { return errors.Is(err, errAbsent) }
