package awstarget

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// keyLag is how long what AWS knows of a new key may lack. For its tags, which the documented policies
// go by, that is up to five minutes ("ABAC for AWS KMS", "AWS KMS eventual consistency"). This is twice
// as long.
const keyLag = 10 * time.Minute

// keyRefusals are the codes of KMS for a key that it does not know yet or does not let be used, and
// those of services that use a key in the name of whoever calls: RDS, Secrets Manager, CloudWatch Logs.
var keyRefusals = []string{
	"AccessDenied", "AccessDeniedException", errNoKey,
	"KMSKeyNotAccessibleFault", "EncryptionFailure", "InvalidParameterException",
}

// withKey does what needs a key. While the key is new, what is refused is done again, so it must bear
// that. How old a key is tells AWS, or the noun that makes it: a later run waits as well.
func (n *noun) withKey(ctx context.Context, id string, do func(context.Context) error) error {
	var known time.Time
	awaited := fmt.Sprintf("key %q, which is new, to be let use: AWS goes by the tags of a new key after up to five minutes", id)
	return n.target.while(ctx, awaited, func(outcome error) bool {
		if !coded(outcome, keyRefusals...) && !isAbsent(outcome) {
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
