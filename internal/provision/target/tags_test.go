package target_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestTagsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 40 {
		many[fmt.Sprintf("t%d", i)] = "x"
	}
	for _, c := range []struct {
		name            string
		tags            map[string]string
		defaults, above map[string]string
		want            []string // the attributes at fault
	}{
		{"some", map[string]string{"team": "a", "Name": "b", "rds": "aws"}, map[string]string{"team": "c"}, map[string]string{"team": "d"}, nil},
		{"prefixes of AWS's", map[string]string{"AWS:a": "b", "rds:a": "b", "a": "aws:b", "b": "RDS:b"}, nil, nil, []string{"tags.AWS:a", "tags.a", "tags.b", "tags.rds:a"}},
		{"Slipway's", map[string]string{"Managed-By": "b", "Slipway:a": "b"}, nil, nil, []string{"tags.Managed-By", "tags.Slipway:a"}},
		{"a key in two cases", map[string]string{"Team": "a", "team": "b"}, nil, nil, []string{"tags.team"}},
		{"a key in another case than the provider's", map[string]string{"team": "b"}, map[string]string{"Team": "a"}, nil, []string{"tags.team"}},
		{"a key in another case than the environment's, which no role bears", map[string]string{"team": "b"}, nil, map[string]string{"TEAM": "a"}, nil},
		{"as many as there may be", map[string]string{"t1": "b"}, many, nil, nil},
		{"too many together", map[string]string{"team": "b"}, many, nil, []string{"tags"}},
		{"none of its own beside too many", nil, many, map[string]string{"team": "b"}, nil},
	} {
		var got []string
		all := append(target.ValidateTags(c.tags), target.RoleTagsBeside(c.tags, c.defaults)...)
		if c.above != nil {
			all = append(all, target.TagsBeside(c.tags, c.defaults, c.above)...)
		}
		for _, f := range all {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: faults (-want +got):\n%s", c.name, diff)
		}
	}
}
