package awstarget

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestAListOfSecretsMayBeLate has a list that is minutes old, and wants no more to be asked for than what it
// does not show as it should be.
func TestAListOfSecretsMayBeLate(t *testing.T) {
	t.Parallel()
	var accounts []*accountNoun
	var mu sync.Mutex
	var asked []string
	tags := func(a *accountNoun) []types.Tag {
		return tagList(a.tags(partAccount), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
	}
	current := map[string][]string{versionPrefix + "1": {stageCurrent}}
	n := scripted(t, func(in any) (any, error) {
		switch in := in.(type) {
		case *secretsmanager.ListSecretsInput:
			whole, ending, old := accounts[0], accounts[1], accounts[2]
			return &secretsmanager.ListSecretsOutput{SecretList: []types.SecretListEntry{
				{Name: aws.String(whole.secretName()), SecretVersionsToStages: current, Tags: tags(whole)},
				{Name: aws.String(ending.secretName()), SecretVersionsToStages: current, Tags: tags(ending), DeletedDate: aws.Time(time.Unix(0, 0))},
				{Name: aws.String(old.secretName()), SecretVersionsToStages: current},
			}}, nil
		case *secretsmanager.DescribeSecretInput:
			for i, a := range accounts[:4] {
				if a.secretName() == *in.SecretId {
					mu.Lock()
					asked = append(asked, a.account)
					mu.Unlock()
					return &secretsmanager.DescribeSecretOutput{ARN: aws.String(fmt.Sprint(i)), Name: in.SecretId, VersionIdsToStages: current, Tags: tags(a)}, nil
				}
			}
			return nil, refused(errNoSecret)
		}
		return nil, refused("Unexpected")
	})
	for i, name := range []string{"whole", "ending", "old", "new", "gone", "unfinished"} {
		a := n.accountNoun(target.AccountDatabaseID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Account: name})
		a.document.Record = json.RawMessage(fmt.Sprintf(`{"meta":{"ready":%t}}`, i != 5))
		accounts = append(accounts, a)
	}
	all, err := n.accountSecrets(t.Context(), accounts)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, a := range accounts {
		s, there := all[a.secretName()]
		got[a.account] = a.secretDrift(s, there)
	}
	want := map[string][]string{"whole": nil, "ending": nil, "old": nil, "new": nil, "gone": {"the secret is gone"}, "unfinished": {"the secret is gone"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	slices.Sort(asked)
	if diff := cmp.Diff([]string{"ending", "new", "old"}, asked); diff != "" {
		t.Errorf("asked for alone (-want +got):\n%s", diff)
	}
}
