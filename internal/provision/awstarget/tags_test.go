package awstarget

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestWhatIsOursIsToldByItsTagsAndTheRecord(t *testing.T) {
	t.Parallel()
	all := map[string]string{tagManagedBy: managedBy, tagInstallation: "1", tagRegion: "eu", tagEnvironment: "production", tagPart: "cluster"}
	for _, c := range []struct {
		name                  string
		change                map[string]string // "" takes a tag off
		halfMade, whole, bear bool
	}{
		{"all tags", nil, true, true, true},
		{"managed-by is another tool's", map[string]string{tagManagedBy: "terraform"}, true, true, true},
		{"a mark is gone", map[string]string{tagRegion: ""}, true, true, true},
		{"a mark was changed", map[string]string{tagRegion: "us"}, true, true, false},
		{"the installation is gone", map[string]string{tagInstallation: ""}, false, true, true},
		{"the installation is gone and a mark is another's", map[string]string{tagInstallation: "", tagRegion: "us"}, false, false, false},
		{"another installation's", map[string]string{tagInstallation: "2"}, false, false, false},
		{"no tags", map[string]string{tagManagedBy: "", tagInstallation: "", tagRegion: "", tagEnvironment: "", tagPart: ""}, false, true, false},
	} {
		tags := map[string]string{}
		for k, v := range all {
			if tags[k] = v; c.change[k] != "" {
				tags[k] = c.change[k]
			} else if _, off := c.change[k]; off {
				delete(tags, k)
			}
		}
		for ready, want := range map[bool]bool{false: c.halfMade, true: c.whole} {
			n := &noun{installation: "1", region: "eu", environment: "production", document: document{Record: json.RawMessage(fmt.Sprintf(`{"meta":{"ready":%t}}`, ready))}}
			err := n.claim("cluster", "ECS cluster", "x", tags)
			if got := err == nil; got != want || err != nil && !errors.Is(err, target.ErrForeign) {
				t.Errorf("%s, made once %t: ours is %t, want %t (%v)", c.name, ready, got, want, err)
			}
			if got := n.bears("cluster", tags); got != c.bear {
				t.Errorf("%s: bears the marks is %t, want %t", c.name, got, c.bear)
			}
		}
	}
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	const tag, plan, apply, again = `managed-by = "slipway"`, "policy plan.json", "apply-network.json", "sign in again"
	for _, c := range []struct {
		service, operation, code string
		want                     []string
	}{
		{"EC2", "CreateTags", "UnauthorizedOperation", []string{tag, apply}},
		{"KMS", "ScheduleKeyDeletion", "AccessDeniedException", []string{tag, apply}},
		{"Elastic Load Balancing v2", "AddTags", "AccessDenied", []string{tag, apply}},
		{"ACM", "AddTagsToCertificate", "AccessDeniedException", []string{tag, apply}},
		{"EC2", "DescribeVpcs", "UnauthorizedOperation", []string{plan}},
		{"Secrets Manager", "GetSecretValue", "AccessDeniedException", []string{apply}},
		{"EC2", "CreateTags", "InvalidVpcID.NotFound", nil},
		{"S3", "PutBucketTagging", "AccessDenied", []string{apply}},
		{"EC2", "DescribeVpcs", "RequestExpired", []string{again}},
		{"RDS", "CreateDBCluster", "ExpiredToken", []string{again}},
	} {
		err := failed(&smithy.OperationError{ServiceID: c.service, OperationName: c.operation, Err: &smithy.GenericAPIError{Code: c.code}}, "do it")
		err = failed(err, "do all")
		for _, part := range []string{tag, plan, apply, again} {
			want := 0
			if slices.Contains(c.want, part) {
				want = 1
			}
			if strings.Count(err.Error(), part) != want || !coded(err, c.code) {
				t.Errorf("%s %s, %s: want %d of %q: %v", c.service, c.operation, c.code, want, part, err)
			}
		}
		if got, want := errors.Is(err, target.ErrSignIn), slices.Contains(c.want, again); got != want {
			t.Errorf("%s: that it is about signing in is %t", c.code, got)
		}
	}
}
