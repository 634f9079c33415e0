package awstarget

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// lag is a refusal of AWS that passes by itself: it has not seen yet what was made a moment ago. Where AWS
// has no error code of its own for that, a part of the message tells it from what stays wrong; "" is for a
// code that is enough.
type lag struct{ code, says string }

// AWS makes the role that a service of its own works with when that service is first used in an AWS account,
// and may not be able to take it on for some seconds (IAM, "Changes that I make are not always immediately
// visible").
var (
	lagOfECSRole     = lag{"InvalidParameterException", "assume the service linked role"}
	lagOfScalingRole = lag{"ValidationException", "assume IAM role"}
	// lagsOfRDSRole are answers to who makes a database and to who makes its subnet group.
	lagsOfRDSRole = []lag{{"InvalidParameterValue", "create service linked role"}, {"InvalidParameterValue", "ServiceLinkedRoles"}}
)

// lagging says whether an error is one of some refusals that pass.
func lagging(err error, known ...lag) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.ContainsFunc(known, func(l lag) bool {
		return api.ErrorCode() == l.code && strings.Contains(api.ErrorMessage(), l.says)
	})
}

// patiently asks AWS for something, and again for up to two minutes while it refuses with what passes.
// Awaited completes the sentence "wait for …".
func (t *Target) patiently(ctx context.Context, awaited string, ask func(context.Context) error, passing ...lag) error {
	tries := 0
	return t.while(ctx, awaited, func(outcome error) bool {
		const most = 15
		tries++
		return lagging(outcome, passing...) && tries < most
	}, ask)
}
