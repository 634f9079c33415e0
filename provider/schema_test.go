package provider_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// walkAttributes calls f for every attribute at any depth, with its path.
func walkAttributes(attributes []*tfprotov6.SchemaAttribute, path string, f func(string, *tfprotov6.SchemaAttribute)) {
	for _, a := range attributes {
		f(path+a.Name, a)
		if a.NestedType != nil {
			walkAttributes(a.NestedType.Attributes, path+a.Name+".", f)
		}
	}
}

func everyAttribute(t *testing.T, f func(string, *tfprotov6.SchemaAttribute)) {
	t.Helper()
	l := newWorld(t).lab(nil)
	walkAttributes(l.schema.Provider.Block.Attributes, "provider.", f)
	for name, s := range l.schema.ResourceSchemas {
		walkAttributes(s.Block.Attributes, name+".", f)
	}
	for name, s := range l.schema.ListResourceSchemas {
		walkAttributes(s.Block.Attributes, "list "+name+".", f)
	}
	for name, s := range l.schema.DataSourceSchemas {
		walkAttributes(s.Block.Attributes, "data "+name+".", f)
	}
	for name, s := range l.schema.EphemeralResourceSchemas {
		walkAttributes(s.Block.Attributes, "ephemeral "+name+".", f)
	}
	for name, s := range l.schema.ActionSchemas {
		walkAttributes(s.Schema.Block.Attributes, "action "+name+".", f)
	}
}

// TestNoAttributeHoldsASecret makes whoever adds an attribute whose name smells of a secret
// say here that it holds none.
func TestNoAttributeHoldsASecret(t *testing.T) {
	t.Parallel()
	smell := regexp.MustCompile(`password|secret|token|key|credential|private|certificate`)
	harmless := []string{
		"ephemeral slipway_account_credentials.password",                     // kept by nobody
		"provider.aws.assume_role.transitive_tag_keys",                       // names of tags
		"provider.aws.assume_role_with_web_identity.web_identity_token_file", // a path
		"provider.aws.shared_credentials_files",                              // paths
		"provider.aws.skip_credentials_validation",                           // a switch
		"provider.local.postgres_password_file",                              // a path
		"slipway_account_database.credential_version",                        // a number
		"slipway_account_database.secret_id",                                 // a path, or the id of a secret
		"slipway_deployment_slot.components.secrets",                         // paths, or ids of secrets
		"slipway_deployment_slot.migrate.secrets",                            // the same
		"slipway_deployment_slot.test_suite.secrets",                         // the same
		"slipway_environment.aws.certificate_arn",                            // the name of one
		"slipway_environment.aws.vpc.private_subnet_ids",                     // ids
		"slipway_environment.aws_resources.account_secrets_prefix",           // what names begin with
		"slipway_environment.aws_resources.certificate_arn",                  // a name
		"slipway_region.aws_resources.kms_key_arn",                           // a name
		"slipway_environment.aws_resources.kms_key_arn",                      // a name
		"slipway_environment.aws_resources.private_route_table_ids",          // ids
		"slipway_environment.aws_resources.private_subnet_ids",               // ids
		"slipway_environment.certificate_authority",                          // a public certificate
	}
	var seen []string
	everyAttribute(t, func(path string, a *tfprotov6.SchemaAttribute) {
		if !smell.MatchString(a.Name) || a.WriteOnly {
			return
		}
		path = strings.TrimPrefix(path, "data ") // what resources hold
		if slices.Contains(seen, path) {
			return
		}
		if seen = append(seen, path); !slices.Contains(harmless, path) {
			t.Errorf("%s could hold a secret: make it write-only, or say why it does not", path)
		}
	})
	slices.Sort(seen)
	if slices.Sort(harmless); !slices.Equal(seen, harmless) {
		t.Errorf("the list of harmless attributes is out of date: %q", seen)
	}
}

func TestEveryAttributeIsDescribedInFullSentences(t *testing.T) {
	t.Parallel()
	everyAttribute(t, func(path string, a *tfprotov6.SchemaAttribute) {
		d := a.Description
		if a.DescriptionKind != tfprotov6.StringKindMarkdown || len(d) < 20 || !strings.HasSuffix(d, ".") {
			t.Errorf("%s is described as %q", path, d)
		}
		if a.Optional && a.Computed && !strings.Contains(strings.ToLower(d), "default") && a.NestedType == nil {
			t.Errorf("%s does not say its default: %q", path, d)
		}
	})
}

// TestNumbersCarryTheirUnit lists the numbers that count things or are versions.
func TestNumbersCarryTheirUnit(t *testing.T) {
	t.Parallel()
	unit := regexp.MustCompile(`(^|_)(km|seconds|days|capacity_units|mib|milliseconds|percent|ratio|requests)(_over_old)?$`)
	counts := []string{
		"port", "https_port", "preview_port", "database_port", "max_connections", "connection_limit", "credential_version",
		"cpu", "min", "max", "max_retries", "healthy_threshold", "unhealthy_threshold", "retry",
		"instances", "zones", "latitude", "longitude",
	}
	everyAttribute(t, func(path string, a *tfprotov6.SchemaAttribute) {
		if a.Type != nil && a.Type.String() == "tftypes.Number" && !unit.MatchString(a.Name) && !slices.Contains(counts, a.Name) {
			t.Errorf("%s is a number without a unit", path)
		}
	})
}
