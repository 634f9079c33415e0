package awstarget

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// TestAKeyThatWasToBeDeletedIsWaitedFor has a key whose deletion is taken back, which KMS sees some seconds
// later, or never.
func TestAKeyThatWasToBeDeletedIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lag  time.Duration
		code string // of the outcome
	}{"seen after a minute": {time.Minute, ""}, "never seen": {time.Hour, "KMSInvalidStateException"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n *noun
			var done []string
			var began time.Time
			// late is when what was done is seen, twice as late for the second thing.
			late := func(after time.Duration, code, what string) error {
				if n.target.now().Before(began.Add(after)) {
					return refused(code)
				}
				done = append(done, what)
				return nil
			}
			n = scripted(t, func(in any) (any, error) {
				switch in.(type) {
				case *kms.DescribeKeyInput:
					return &kms.DescribeKeyOutput{KeyMetadata: &types.KeyMetadata{KeyId: aws.String("key"), KeyState: types.KeyStatePendingDeletion}}, nil
				case *kms.CancelKeyDeletionInput:
					return &kms.CancelKeyDeletionOutput{}, nil
				case *kms.EnableKeyInput:
					return &kms.EnableKeyOutput{}, late(c.lag, "KMSInvalidStateException", "enabled")
				case *kms.ListResourceTagsInput:
					return &kms.ListResourceTagsOutput{Tags: tagList(n.tags(partKey), func(k, v string) types.Tag { return types.Tag{TagKey: &k, TagValue: &v} })}, nil
				case *kms.GetKeyRotationStatusInput:
					return &kms.GetKeyRotationStatusOutput{}, nil
				case *kms.GetKeyPolicyInput:
					return &kms.GetKeyPolicyOutput{Policy: aws.String("{}")}, nil
				case *kms.EnableKeyRotationInput:
					return &kms.EnableKeyRotationOutput{}, late(2*c.lag, "DisabledException", "rotates")
				}
				return nil, refused("Unexpected")
			})
			began = n.target.now()
			err := n.settleKey(t.Context(), partKey, "key", "alias/key", "{}")
			want := []string{"enabled", "rotates"}
			if c.code != "" {
				want = nil
			}
			if diff := cmp.Diff(want, done); diff != "" || (err != nil) != (c.code != "") || c.code != "" && !coded(err, c.code) {
				t.Errorf("got error %v, want code %q; done (-want +got):\n%s", err, c.code, diff)
			}
			if waited := n.target.now().Sub(began); waited > 2*appearLag+time.Minute {
				t.Errorf("waited for %s", waited)
			}
		})
	}
}
