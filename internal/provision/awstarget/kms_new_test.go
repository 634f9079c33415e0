package awstarget

import (
	"context"
	"testing"
	"time"

	"github.com/aws/smithy-go"
)

// What is refused because a key is new passes; a right that is missing does not, and is told at once.
func TestOnlyAKeyThatIsRefusedIsWaitedFor(t *testing.T) {
	t.Parallel()
	const user = "User: arn:aws:sts::123456789012:assumed-role/kms-deploy/terraform is not authorized to perform: "
	for _, c := range []struct {
		name, service, code, says string
		want                      bool
	}{
		{"a key that KMS does not know", "KMS", "NotFoundException", "Key 'arn:aws:kms:eu-central-1:123456789012:key/1' does not exist", true},
		{"an alias by tags", "KMS", "AccessDeniedException", user + "kms:CreateAlias on resource: arn:aws:kms:eu-central-1:123456789012:key/1", true},
		{"a policy of KMS without words", "KMS", "AccessDeniedException", "", true},
		{"a secret with the key", "Secrets Manager", "AccessDeniedException", "Access to KMS is not allowed", true},
		{"a secret with the key, in IAM's words", "Secrets Manager", "AccessDeniedException", user + "kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:123456789012:key/1 because no identity-based policy allows the kms:GenerateDataKey action", true},
		{"a secret that can't be encrypted", "Secrets Manager", "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text", true},
		{"logs with the key", "CloudWatch Logs", "AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:eu-central-1:123456789012:log-group:/slipway/eu'", true},
		{"logs with a key that is not known", "CloudWatch Logs", "InvalidParameterException", "The specified KMS Key Id could not be found.", true},
		{"a database with the key", "RDS", "KMSKeyNotAccessibleFault", "The specified KMS key [arn:aws:kms:eu-central-1:123456789012:key/1] does not exist, is not enabled or you do not have permissions to access it.", true},
		{"a database with the key, in IAM's words", "RDS", "AccessDenied", user + "kms:CreateGrant on resource: arn:aws:kms:eu-central-1:123456789012:key/1", true},

		{"no right to make secrets", "Secrets Manager", "AccessDeniedException", user + "secretsmanager:CreateSecret on resource: slipway/eu/kms/access because no identity-based policy allows the secretsmanager:CreateSecret action", false},
		{"no right to tag logs", "CloudWatch Logs", "AccessDeniedException", user + "logs:TagResource on resource: arn:aws:logs:eu-central-1:123456789012:log-group:/slipway/eu:log-stream: with an explicit deny in a service control policy", false},
		{"no right to make databases", "RDS", "AccessDenied", user + "rds:CreateDBCluster on resource: arn:aws:rds:eu-central-1:123456789012:cluster:slipway", false},
		{"logs with a wrong name", "CloudWatch Logs", "InvalidParameterException", "Log group name is invalid", false},
		{"no words at all", "Secrets Manager", "AccessDeniedException", "", false},
		{"another code with the words", "RDS", "InvalidParameterValue", "MasterUserSecretKmsKeyId is not valid", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := scripted(t, nil)
			began := n.target.now()
			n.facts[factKeyBegun] = began.Format(time.RFC3339)
			refused := failed(&smithy.OperationError{ServiceID: c.service, OperationName: "Create", Err: &smithy.GenericAPIError{Code: c.code, Message: c.says}}, "create")
			err := n.withKey(t.Context(), "1", func(context.Context) error { return refused })
			if !coded(err, c.code) {
				t.Errorf("got error %v", err)
			}
			if waited := n.target.now().Sub(began); waited > 0 != c.want || waited > keyLag+time.Minute {
				t.Errorf("waited for %s, want %t", waited, c.want)
			}
		})
	}
}
