package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAccRegion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	changed := regionBlock(attrs{"closed": "true", "location": `"eu-west-1"`, "jurisdiction": `"IE"`, "tags": `{ team = "platform" }`})
	w.run(
		resource.TestStep{Config: regionBlock(nil), Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr("slipway_region.test", "id", "eu"),
			resource.TestCheckResourceAttr("slipway_region.test", "closed", "false"),
			resource.TestCheckResourceAttr("slipway_region.test", "tags.%", "0"),
		)},
		imported("slipway_region.test", "eu"),
		resource.TestStep{
			Config: changed,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("slipway_region.test", plancheck.ResourceActionUpdate),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr("slipway_region.test", "closed", "true"),
				resource.TestCheckResourceAttr("slipway_region.test", "jurisdiction", "IE"),
				resource.TestCheckResourceAttr("slipway_region.test", "location", "eu-west-1"),
				resource.TestCheckResourceAttr("slipway_region.test", "tags.team", "platform"),
			),
		},
		imported("slipway_region.test", "eu"),
		resource.TestStep{
			Config: regionBlock(attrs{"name": `"us"`}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("slipway_region.test", plancheck.ResourceActionReplace),
			}},
			Check: resource.TestCheckResourceAttr("slipway_region.test", "id", "us"),
		},
		emptyPlan(regionBlock(attrs{"name": `"us"`, "tags": "{}", "closed": "false"})),
	)
}

func TestAccRegionThatDisappearsIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	both := regionBlock(nil) + block("region", "other", attrs{"name": `"us"`, "location": `"us"`, "jurisdiction": `"US"`})
	w.run(
		resource.TestStep{Config: both},
		resource.TestStep{
			PreConfig: func() {
				if err := w.provisioner(w.owner).DeleteRegion(t.Context(), "eu"); err != nil {
					t.Fatal(err)
				}
			},
			Config: both,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("slipway_region.test", plancheck.ResourceActionCreate),
			}},
		},
		emptyPlan(both),
	)
}

func TestRegionRefusesWrongValues(t *testing.T) {
	t.Parallel()
	refused(t, "region", aRegion(), map[string]refusal{
		"a name with a capital letter":     {nil, set{"name": "EU"}, `AttributeName("name")`, "contains 'E', 'U'"},
		"an empty name":                    {nil, set{"name": ""}, `AttributeName("name")`, "must not be empty"},
		"a name that begins with a dash":   {nil, set{"name": "-eu"}, `AttributeName("name")`, `starts or ends with "-"`},
		"an empty location":                {nil, set{"location": ""}, `AttributeName("location")`, "not a location"},
		"a jurisdiction with a slash":      {nil, set{"jurisdiction": "E/U"}, `AttributeName("jurisdiction")`, "not a jurisdiction"},
		"a tag of AWS's own":               {nil, set{"tags": set{"aws:x": "y"}}, `AttributeName("tags").ElementKeyString("aws:x")`, `has the prefix "aws:"`},
		"a time limit that is no duration": {nil, set{"timeouts": set{"create": "soon"}}, `AttributeName("timeouts").AttributeName("create")`, "is not a time limit"},
		"a name that another resource has": {[]planned{{"region", aRegion()}}, nil, `AttributeName("name")`, "two resources of this configuration"},
	})
}

func TestAccRegionIsCheckedAgainWhenItsNameIsKnown(t *testing.T) {
	t.Parallel()
	config := `resource "terraform_data" "n" { input = "BAD" }` + "\n" + regionBlock(attrs{"name": "terraform_data.n.output"})
	newWorld(t).run(resource.TestStep{Config: config, ExpectError: regexp.MustCompile(`contains\s+'B'`)})
}

func TestAccRegionWithEnvironmentsCanNeitherMoveNorGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := platformWithDatabase(nil)
	moved := regionBlock(attrs{"jurisdiction": `"US"`}) + environmentBlock(nil) + databaseBlock(nil)
	renamed := regionBlock(attrs{"name": `"us"`}) + environmentBlock(nil) + databaseBlock(nil)
	w.run(
		resource.TestStep{Config: full},
		resource.TestStep{Config: moved, ExpectError: regexp.MustCompile(`Unable\s+to\s+update\s+region`)},
		resource.TestStep{Config: renamed, ExpectError: regexp.MustCompile(`Set\s+name\s+back\s+to\s+"eu"(?s:.*)account\s+database\s+eu/production/acme`)},
		emptyPlan(full),
	)
}

func TestAccRegionOfAnotherOwnerIsRefusedWithTheImportCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.provisioner("another state")
	if _, _, err := other.CreateRegion(t.Context(), target.Region{Name: "eu", Location: "x", Jurisdiction: "EU"}); err != nil {
		t.Fatal(err)
	}
	w.run(
		resource.TestStep{Config: regionBlock(nil), PlanOnly: true, ExpectError: regexp.MustCompile(`terraform\s+import\s+slipway_region.<name>\s+eu`)},
		resource.TestStep{
			PreConfig: func() {
				if err := other.DeleteRegion(t.Context(), "eu"); err != nil {
					t.Fatal(err)
				}
			},
			Config: regionBlock(nil),
		},
		emptyPlan(regionBlock(nil)),
	)
}
