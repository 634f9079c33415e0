package provider_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// role is what a run of Terraform has of the documented policies.
type role struct {
	name     string
	policies awstest.Policies
}

// planner may do what plans do: only read.
func planner(t *testing.T) *role { return newRole(t, "plans", "plan.json") }

func applier(t *testing.T) *role {
	return newRole(t, "applies", "plan.json", "apply-network.json", "apply-data.json", "apply-stacks.json")
}

func newRole(t *testing.T, name string, files ...string) *role {
	t.Helper()
	var texts [][]byte
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join("..", "examples", "aws", f))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	policies, err := awstest.ReadPolicies(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return &role{name, policies}
}

// inRoles lets each step plan, or import, in the role of plans, and apply in that of applies, as runs
// of HCP Terraform with dynamic credentials do.
func (c *cloud) inRoles(steps []resource.TestStep) []resource.TestStep {
	reads, writes := planner(c.t), applier(c.t)
	planned := becomes{c, writes}
	for i := range steps {
		s := &steps[i]
		prepare := s.PreConfig
		s.PreConfig = func() {
			c.role.Store(writes)
			if prepare != nil {
				prepare()
			}
			c.role.Store(reads)
		}
		switch checks := &s.ConfigPlanChecks; {
		case s.ImportState:
			s.ImportStateCheck = func([]*terraform.InstanceState) error { c.role.Store(writes); return nil }
		case s.PlanOnly:
			checks.PostApplyPostRefresh = append(slices.Clip(checks.PostApplyPostRefresh), planned)
		default:
			checks.PreApply = append(slices.Clip(checks.PreApply), planned)
		}
	}
	return steps
}

// becomes is no check: what is configured after it has another role.
type becomes struct {
	*cloud
	role *role
}

func (b becomes) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	b.cloud.role.Store(b.role)
}

// secretsArePrivate wants plans to be let read the secrets of the logins for catalogues, and no others.
func (c *cloud) secretsArePrivate(*terraform.State) error {
	out, err := secretsmanager.NewFromConfig(c.Config(frankfurt)).ListSecrets(context.WithoutCancel(c.t.Context()), nil)
	if err != nil {
		return err
	}
	reads, seen := planner(c.t).policies, map[bool]int{}
	for _, s := range out.SecretList {
		arn := sdk.ToString(s.ARN)
		ofReader := strings.Contains(arn, ":secret:slipway-reader/")
		seen[ofReader]++
		if reads.Allow(awstest.Need{Action: "secretsmanager:GetSecretValue", Resource: arn}) != ofReader {
			return fmt.Errorf("that plans may read %s is %t", arn, !ofReader)
		}
	}
	if seen[true] != 2 || seen[false] != 4 {
		return fmt.Errorf("there are %v secrets, want 2 of readers, and 2 of accounts and of administrators each", seen)
	}
	return nil
}
