package operator

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"

	fwprovider "github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

func TestFlagsSayHowAWSIsReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := "arn:aws:iam::123456789012:role/hub", "arn:aws:iam::210987654321:role/operators"
	w.says(0, []string{
		"status", "--target", "aws", "--region", "eu-west-1", "--profile=ops", "--endpoints", "kms=http://127.0.0.1:1", "--endpoints", "dynamodb=http://127.0.0.1:2",
		"--assume-role", first, "--assume-role-external-id", "fleet", "--assume-role", second, "--assume-role-session-name", "kim", "--assume-role-duration", "1h",
		"--allowed-account-ids", "210987654321", "--https-proxy", "", "--use-fips-endpoint", "--insecure=false", "--max-retries", "3",
	})
	none := ""
	want := targets.Settings{Target: targets.AWS, Attach: true, AWS: awstarget.Settings{
		Region: "eu-west-1", Profile: "ops", Endpoints: map[string]string{"kms": "http://127.0.0.1:1", "dynamodb": "http://127.0.0.1:2"},
		AssumeRole:        []awstarget.AssumeRole{{RoleARN: first, ExternalID: "fleet"}, {RoleARN: second, SessionName: "kim", Duration: time.Hour}},
		AllowedAccountIDs: []string{"210987654321"}, HTTPSProxy: &none, UseFIPSEndpoint: true, MaxRetries: 3,
		KeepDefaultTags: true,
	}}
	if diff := cmp.Diff(want, w.opened); diff != "" {
		t.Errorf("the target is opened with other settings (-want +got):\n%s", diff)
	}
}

func TestTheTargetMayComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want targets.Settings
	}{
		{map[string]string{"SLIPWAY_TARGET": "aws", "SLIPWAY_DATA_DIR": "/elsewhere"}, targets.Settings{Target: targets.AWS, AWS: awstarget.Settings{KeepDefaultTags: true}}},
		{map[string]string{"SLIPWAY_DATA_DIR": "/elsewhere"}, targets.Settings{DataDir: "/elsewhere"}},
	} {
		var s settings
		if err := s.resolve(func(name string) string { return c.env[name] }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, s.Settings); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.env, diff)
		}
	}
}

func TestAFaultNamesItsFlag(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"sts_region": "sts-region", "endpoints.kms": "endpoints", "shared_config_files.1": "shared-config-files",
		"assume_role.0.role_arn": "assume-role", "assume_role.1.session_name": "assume-role-session-name",
	} {
		if got := flagAt(path); got != want {
			t.Errorf("%s: got --%s, want --%s", path, got, want)
		}
	}
}

// What the provider can be told of AWS the commands can be told, too.
func TestEachAttributeOfTheAWSBlockIsAFlag(t *testing.T) {
	t.Parallel()
	var block fwprovider.SchemaResponse
	provider.New("test")().Schema(t.Context(), fwprovider.SchemaRequest{}, &block)
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	(&settings{}).registerAWS(flags)
	attributes := block.Schema.Attributes["aws"].(schema.SingleNestedAttribute).Attributes
	if len(attributes) < 20 {
		t.Fatalf("the block has %d attributes", len(attributes))
	}
	// A command has the environment variables of web identities, as the SDK reads them, makes no
	// environment that would need a name, and keeps the tags of the last apply.
	not := []string{"assume_role_with_web_identity", "domain_name", "default_tags"}
	for name := range attributes {
		if found := flags.Lookup(awsFlag(name)) != nil; found == slices.Contains(not, name) {
			t.Errorf("there is a flag --%s: %t", awsFlag(name), found)
		}
	}
}
