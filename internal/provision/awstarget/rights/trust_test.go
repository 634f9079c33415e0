package rights

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trusts are who may have the roles for plans and for applies: runs of HCP Terraform.
var trusts = []string{"trust-plan.json", "trust-apply.json"}

const guide = "../../../../templates/guides/aws.md.tmpl"

// TestTheTrustPoliciesAreForOnePhaseEach wants a role for plans that no apply can have, and the
// other way round, and neither anybody else.
func TestTheTrustPoliciesAreForOnePhaseEach(t *testing.T) {
	t.Parallel()
	type trust struct {
		Sid, Effect, Action string
		Principal           map[string]string
		Condition           map[string]map[string]string
	}
	for _, phase := range []string{"plan", "apply"} {
		var got struct {
			Version   string
			Statement []trust
		}
		text, err := os.ReadFile(filepath.Join(examples, "trust-"+phase+".json"))
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := []trust{{
			Sid: "RunsOfTheWorkspace", Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity",
			Principal: map[string]string{"Federated": "arn:aws:iam::123456789012:oidc-provider/app.terraform.io"},
			Condition: map[string]map[string]string{
				"StringEquals": {"app.terraform.io:aud": "aws.workload.identity"},
				"StringLike":   {"app.terraform.io:sub": "organization:ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:" + phase},
			},
		}}
		if diff := cmp.Diff(want, got.Statement); diff != "" || got.Version != "2012-10-17" {
			t.Errorf("%s: of version %q (-want +got):\n%s", phase, got.Version, diff)
		}
	}
}

// TestTheGuideUsesTheExamples wants each policy in the commands of the guide, under its own name, and
// the trust policies shown from their files.
func TestTheGuideUsesTheExamples(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	loop := "for policy in plan apply-network apply-data apply-stacks; do"
	used := []string{loop, "--policy-document file://$policy.$zone.json"}
	for _, file := range []string{planFile, networkFile, dataFile, stacksFile} {
		if name := strings.TrimSuffix(file, ".json"); !strings.Contains(loop, " "+name) {
			t.Errorf("the guide's commands make no policy of %s", file)
		}
	}
	for _, file := range trusts {
		used = append(used, `{{ codefile "json" "examples/aws/`+file+`" }}`)
	}
	used = append(used, "for phase in plan apply; do", "trust-$phase.json >trust-$phase.$workspace.json", "--assume-role-policy-document file://trust-$phase.$workspace.json")
	for _, u := range used {
		if !strings.Contains(text, u) {
			t.Errorf("the guide does not have %q", u)
		}
	}
	if strings.Contains(text, `"sts:AssumeRoleWithWebIdentity"`) {
		t.Error("the guide has a copy of a trust policy")
	}
	for _, placeholder := range []string{"123456789012", `app\.terraform\.io`, "ORGANIZATION", "PROJECT", "WORKSPACE"} {
		if !strings.Contains(text, `-e "s/`+placeholder+"/") {
			t.Errorf("the guide's commands do not replace %s", placeholder)
		}
	}
}
