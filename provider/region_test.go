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

func TestAccRegionRefusesWrongValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config, want string
	}{
		"a name with a capital letter":     {regionBlock(attrs{"name": `"EU"`}), `contains\s+'E',\s+'U'`},
		"an empty name":                    {regionBlock(attrs{"name": `""`}), `must\s+not\s+be\s+empty`},
		"a name that begins with a dash":   {regionBlock(attrs{"name": `"-eu"`}), `starts\s+or\s+ends\s+with\s+"-"`},
		"an empty location":                {regionBlock(attrs{"location": `""`}), `not\s+a\s+location`},
		"a jurisdiction with a slash":      {regionBlock(attrs{"jurisdiction": `"E/U"`}), `not\s+a\s+jurisdiction`},
		"a tag of AWS's own":               {regionBlock(attrs{"tags": `{ "aws:x" = "y" }`}), `no\s+prefix\s+"aws:"`},
		"two resources of the same name":   {regionBlock(nil) + block("region", "twin", attrs{"name": `"eu"`, "location": `"x"`, "jurisdiction": `"EU"`}), `two\s+resources|Two\s+resources`},
		"a time limit that is no duration": {regionBlock(attrs{"timeouts": `{ create = "soon" }`}), `sequence\s+of\s+decimal`},
		"two that get their name at apply": {`resource "terraform_data" "n" { input = "BAD" }` + "\n" + regionBlock(attrs{"name": "terraform_data.n.output"}), `contains\s+'B'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t).run(resource.TestStep{Config: c.config, ExpectError: regexp.MustCompile(c.want)})
		})
	}
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
		resource.TestStep{Config: renamed, ExpectError: regexp.MustCompile(`Region\s+"eu"\s+holds\s+account\s+database`)},
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
