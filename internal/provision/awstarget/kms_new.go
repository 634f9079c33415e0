package awstarget

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
)

// keyLag is how long what AWS knows of a new key may lack. For its tags, which the documented policies
// go by, that is up to five minutes ("ABAC for AWS KMS", "AWS KMS eventual consistency"). This is twice
// as long.
const keyLag = 10 * time.Minute

// keyRefusals are the codes for a key that is not known yet or can't be used: of KMS, RDS and Secrets Manager.
var keyRefusals = []string{errNoKey, "KMSKeyNotAccessibleFault", "EncryptionFailure"}

// refusals are the codes of those that may be of a key, and may be of anything else.
var refusals = []string{"AccessDenied", "AccessDeniedException", "InvalidParameterException"}

// refusedAction finds the service whose action IAM does not allow.
var refusedAction = regexp.MustCompile(`not authorized to perform:? ([A-Za-z0-9-]+):`)

// refusesKey says whether an error is of a key: of KMS itself, or of a service that uses the key in the name of
// whoever calls. Those have no code for it, so a right that is missing, which stays so, is told by the message.
func refusesKey(err error) bool {
	if coded(err, keyRefusals...) || isAbsent(err) {
		return true
	}
	var operation *smithy.OperationError
	var api smithy.APIError
	switch {
	case !coded(err, refusals...) || !errors.As(err, &api):
		return false
	case errors.As(err, &operation) && operation.Service() == kms.ServiceID:
		return true
	}
	if action := refusedAction.FindStringSubmatch(api.ErrorMessage()); action != nil {
		return action[1] == "kms"
	}
	return strings.Contains(strings.ToLower(api.ErrorMessage()), "kms")
}

// withKey does what needs a key. While the key is new and refused, it is done again, so it must bear
// that. How old a key is tells AWS, or the noun that makes it: a later run waits as well.
func (n *noun) withKey(ctx context.Context, id string, do func(context.Context) error) error {
	var known time.Time
	awaited := fmt.Sprintf("key %q, which is new, to be let use: AWS goes by the tags of a new key after up to five minutes", id)
	return n.target.while(ctx, awaited, func(outcome error) bool {
		if !refusesKey(outcome) {
			return false
		}
		if known.IsZero() {
			known = n.keyKnownAt(ctx, id)
		}
		return n.target.now().Before(known)
	}, do)
}

// keyKnownAt is when AWS should know all of a key; a time that has passed for one of which nobody can
// tell how old it is.
func (n *noun) keyKnownAt(ctx context.Context, id string) time.Time {
	made, err := time.Parse(time.RFC3339, n.fact(factKeyBegun))
	if err != nil {
		k, err := findKey(ctx, n.clients, id)
		if err != nil {
			return n.target.now()
		}
		made = aws.ToTime(k.CreationDate)
	}
	return n.target.knownAt(made, keyLag)
}
