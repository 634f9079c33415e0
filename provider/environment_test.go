package provider_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const environmentAddress = "slipway_environment.test"

func TestAccEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	port := production.DefaultHTTPSPort()
	w.run(
		resource.TestStep{
			Config: platformWithEnvironment(attrs{"deletion_protection": ""}),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(environmentAddress, "id", "eu/production"),
				resource.TestCheckResourceAttr(environmentAddress, "domain_name", "production.eu.localhost"),
				resource.TestCheckResourceAttr(environmentAddress, "network.listen_address", "127.0.0.1"),
				resource.TestCheckResourceAttr(environmentAddress, "network.https_port", fmt.Sprint(port)),
				resource.TestCheckResourceAttr(environmentAddress, "network.preview_port", fmt.Sprint(port+5000)),
				resource.TestCheckResourceAttr(environmentAddress, "database.max_connections", "200"),
				resource.TestCheckResourceAttr(environmentAddress, "deletion_protection", "true"),
				resource.TestCheckResourceAttr(environmentAddress, "url", fmt.Sprintf("https://production.eu.localhost:%d", port)),
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", fmt.Sprintf("https://production.eu.localhost:%d", port+5000)),
				resource.TestCheckResourceAttrSet(environmentAddress, "certificate_authority"),
				resource.TestCheckResourceAttrSet(environmentAddress, "database_host"),
				resource.TestCheckResourceAttrSet(environmentAddress, "database_port"),
				resource.TestCheckResourceAttrSet(environmentAddress, "accounts_directory"),
			),
		},
		imported(environmentAddress, "eu/production"),
		resource.TestStep{
			Config: platformWithEnvironment(attrs{
				"domain_name": `"eu.example.com"`,
				"network":     `{ https_port = 20443 }`,
				"database":    `{ max_connections = 300 }`,
				"tags":        `{ team = "platform" }`,
			}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(environmentAddress, "url", "https://eu.example.com.localhost:20443"),
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", fmt.Sprintf("https://eu.example.com.localhost:%d", port+5000)),
				resource.TestCheckResourceAttr(environmentAddress, "database.max_connections", "300"),
				resource.TestCheckResourceAttr(environmentAddress, "deletion_protection", "false"),
				resource.TestCheckResourceAttr(environmentAddress, "tags.team", "platform"),
			),
		},
		imported(environmentAddress, "eu/production"),
		resource.TestStep{
			Config: platformWithEnvironment(attrs{"kind": `"sandbox"`, "tenancy": `"single_tenant"`, "account": `"acme"`, "deletion_protection": ""}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionReplace),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(environmentAddress, "account", "acme"),
				resource.TestCheckResourceAttr(environmentAddress, "deletion_protection", "false"),
				resource.TestCheckResourceAttr(environmentAddress, "database.max_connections", "200"),
			),
		},
		emptyPlan(platformWithEnvironment(attrs{
			"kind": `"sandbox"`, "tenancy": `"single_tenant"`, "account": `"acme"`, "deletion_protection": "false",
			"database": "{}", "network": "{}", "tags": "{}",
		})),
	)
}

func TestEnvironmentRefusesWrongValues(t *testing.T) {
	t.Parallel()
	open := planned{"region", aRegion()}
	closed := planned{"region", with(aRegion(), set{"closed": true})}
	sandbox := planned{"environment", with(anEnvironment(), set{"name": "other", "kind": "sandbox"})}
	other := planned{"environment", with(anEnvironment(), set{"name": "other"})}
	refused(t, "environment", anEnvironment(), map[string]refusal{
		"a name that can't be an id":               {nil, set{"name": "a/b"}, `AttributeName("name")`, "contains '/'"},
		"a region that can't be an id":             {nil, set{"region_id": "EU"}, `AttributeName("region_id")`, "contains 'E'"},
		"an unknown kind":                          {nil, set{"kind": "staging"}, `AttributeName("kind")`, `"staging" is not allowed`},
		"an unknown tenancy":                       {nil, set{"tenancy": "none"}, `AttributeName("tenancy")`, `"none" is not allowed`},
		"single-tenant without an account":         {nil, set{"tenancy": "single_tenant"}, `AttributeName("account")`, "belongs to one account"},
		"multi-tenant with an account":             {nil, set{"account": "acme"}, `AttributeName("account")`, "shared by many accounts"},
		"an empty account":                         {nil, set{"account": ""}, `AttributeName("account")`, `the value is ""`},
		"an account that can't be an id":           {nil, set{"tenancy": "single_tenant", "account": "A"}, `AttributeName("account")`, "contains 'A'"},
		"a domain name with a space":               {nil, set{"domain_name": "a b"}, `AttributeName("domain_name")`, "not a domain name"},
		"an empty domain name":                     {nil, set{"domain_name": ""}, `AttributeName("domain_name")`, "is not a domain name"},
		"a listen address that is none":            {nil, set{"network": set{"listen_address": "localhost"}}, `AttributeName("listen_address")`, "not an IP address"},
		"a port that is none":                      {nil, set{"network": set{"https_port": 70000}}, `AttributeName("https_port")`, "70000 is out of range"},
		"a preview port of zero":                   {nil, set{"network": set{"preview_port": 0}}, `AttributeName("preview_port")`, "0 is out of range"},
		"the same port twice":                      {nil, set{"network": set{"https_port": 1443, "preview_port": 1443}}, `AttributeName("preview_port")`, "is the https_port too"},
		"too few connections":                      {nil, set{"database": set{"max_connections": 1}}, `AttributeName("max_connections")`, "1 is out of range"},
		"a production that mirrors":                {nil, set{"mirrors": "eu/other"}, `AttributeName("mirrors")`, "only a sandbox mirrors"},
		"a sandbox that mirrors itself":            {nil, set{"kind": "sandbox", "mirrors": "eu/production"}, `AttributeName("mirrors")`, "can't mirror itself"},
		"a mirrored environment that is no id":     {nil, set{"kind": "sandbox", "mirrors": "production"}, `AttributeName("mirrors")`, "is not an environment id"},
		"a mirrored environment that is a sandbox": {[]planned{open, sandbox}, set{"kind": "sandbox", "mirrors": "eu/other"}, `AttributeName("mirrors")`, "mirrors a production"},
		"a tag without a key":                      {nil, set{"tags": set{"": "x"}}, `AttributeName("tags")`, "tag key has"},
		"a region that is closed":                  {[]planned{closed}, nil, `AttributeName("region_id")`, "closed to new environments"},
		"an id that another resource has":          {[]planned{open, {"environment", anEnvironment()}}, nil, `AttributeName("name")`, "two resources of this configuration"},
		"a port that another environment has":      {[]planned{open, other}, set{"network": set{"https_port": otherID.DefaultPreviewPort()}}, `AttributeName("network").AttributeName("https_port")`, `is used by environment "eu/other"`},
		"a domain name that another one has":       {[]planned{open, other}, set{"domain_name": "other.eu.localhost"}, `AttributeName("domain_name")`, `is the domain name of environment "eu/other"`},
	})
}

var otherID = target.EnvironmentID{Region: "eu", Name: "other"}

func TestAccEnvironmentIsCheckedAgainWhenItsKindIsKnown(t *testing.T) {
	t.Parallel()
	config := `resource "terraform_data" "kind" { input = "staging" }` + "\n" + platformWithEnvironment(attrs{"kind": "terraform_data.kind.output"})
	newWorld(t).run(resource.TestStep{Config: config, ExpectError: regexp.MustCompile(`"staging"\s+is\s+not\s+allowed`)})
}

// twin is a second environment in the same region.
func twin(a attrs) string {
	return block("environment", "twin", attrs{
		"region_id": "slipway_region.test.id", "name": `"production"`, "kind": `"production"`,
		"tenancy": `"multi_tenant"`, "deletion_protection": "false",
	}.with(a))
}

func TestAccEnvironmentAcceptsWhatIsKnownAtApplyOnly(t *testing.T) {
	t.Parallel()
	inputs := `resource "terraform_data" "in" {
  input = { region = "eu", name = "production", kind = "sandbox", tenancy = "single_tenant", account = "acme", mirrors = null, domain = "x.localhost", port = 20443, tags = { a = "b" } }
}
`
	config := inputs + regionBlock(nil) + block("environment", "test", attrs{
		"region_id": "terraform_data.in.output.region", "name": "terraform_data.in.output.name",
		"kind": "terraform_data.in.output.kind", "tenancy": "terraform_data.in.output.tenancy",
		"account": "terraform_data.in.output.account", "domain_name": "terraform_data.in.output.domain",
		"mirrors": "terraform_data.in.output.mirrors", "tags": "terraform_data.in.output.tags",
		"network":    "{ https_port = terraform_data.in.output.port, preview_port = 20443 + 1 }",
		"depends_on": "[slipway_region.test]",
	})
	newWorld(t).run(
		resource.TestStep{Config: config, Check: resource.TestCheckResourceAttr(environmentAddress, "url", "https://x.localhost:20443")},
		emptyPlan(config),
	)
}

func TestAccEnvironmentThatDisappearsIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithEnvironment(nil)},
		resource.TestStep{
			PreConfig: func() { w.VanishEnvironment(production) },
			Config:    platformWithEnvironment(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionCreate),
			}},
		},
		emptyPlan(platformWithEnvironment(nil)),
	)
}

func TestAccEnvironmentWhoseCreateFailsHalfWayIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.HinderEnvironment(production, "no space left on device", true)
	w.run(
		resource.TestStep{
			Config:      platformWithEnvironment(nil),
			ExpectError: regexp.MustCompile(`Unable\s+to\s+create\s+environment(?s:.*)no\s+space\s+left`),
		},
		resource.TestStep{
			PreConfig: func() { w.HinderEnvironment(production, "", false) },
			Config:    platformWithEnvironment(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionReplace),
			}},
		},
		emptyPlan(platformWithEnvironment(nil)),
	)
}

func TestAccEnvironmentWhoseCreateTakesTooLongSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.HinderEnvironment(production, "the database server is starting", false)
	w.run(
		resource.TestStep{
			Config:      platformWithEnvironment(attrs{"timeouts": `{ create = "1s" }`}),
			ExpectError: regexp.MustCompile(`database\s+server\s+is\s+starting(?s:.*)time\s+limit\s+of\s+1s\s+has\s+passed;\s+timeouts.create`),
		},
		resource.TestStep{
			PreConfig: func() { w.HinderEnvironment(production, "", false) },
			Config:    platformWithEnvironment(nil),
		},
		emptyPlan(platformWithEnvironment(nil)),
	)
}

func TestAccEnvironmentWhoseUpdateFailsShowsTheWorkLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	larger := platformWithEnvironment(attrs{"database": "{ max_connections = 300 }"})
	w.run(
		resource.TestStep{Config: platformWithEnvironment(nil)},
		resource.TestStep{
			PreConfig:   func() { w.HinderEnvironment(production, "out of memory", true) },
			Config:      larger,
			ExpectError: regexp.MustCompile(`Unable\s+to\s+update\s+environment(?s:.*)out\s+of\s+memory`),
		},
		resource.TestStep{
			PreConfig: func() { w.HinderEnvironment(production, "", false) },
			Config:    larger,
			Check:     resource.TestCheckResourceAttr(environmentAddress, "database.max_connections", "300"),
		},
		emptyPlan(larger),
	)
}

func TestAccEnvironmentThatIsProtectedCanNotBeDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	protected := platformWithEnvironment(attrs{"deletion_protection": "true"})
	w.run(
		resource.TestStep{Config: protected},
		resource.TestStep{Config: protected, Destroy: true, ExpectError: regexp.MustCompile(`Deletion\s+protection\s+of\s+environment\s+"eu/production"\s+is\s+on`)},
		resource.TestStep{Config: regionBlock(nil), ExpectError: regexp.MustCompile(`Deletion\s+protection`)},
		resource.TestStep{Config: platformWithEnvironment(attrs{"name": `"other"`, "deletion_protection": "true"}), ExpectError: regexp.MustCompile(`Set\s+name\s+back\s+to\s+what\s+it\s+was(?s:.*)deletion\s+protection\s+is\s+on`)},
		resource.TestStep{Config: protected, Taint: []string{environmentAddress}, ExpectError: regexp.MustCompile(`terraform\s+untaint`)},
		resource.TestStep{Config: platformWithEnvironment(nil), PreConfig: w.unprotect},
		emptyPlan(platformWithEnvironment(nil)),
	)
}

func TestAccEnvironmentWithDatabasesCanNotBeReplaced(t *testing.T) {
	t.Parallel()
	changes := map[string]attrs{
		"its name":    {"name": `"other"`},
		"its kind":    {"kind": `"sandbox"`},
		"its tenancy": {"tenancy": `"single_tenant"`, "account": `"acme"`},
	}
	steps := []resource.TestStep{{Config: platformWithDatabase(nil)}}
	for _, a := range changes {
		steps = append(steps, resource.TestStep{
			Config:      regionBlock(nil) + environmentBlock(a) + databaseBlock(attrs{"environment_id": `"eu/production"`}),
			ExpectError: regexp.MustCompile(`Set\s+(name|kind|tenancy|account)\s+back\s+to\s+what\s+it\s+was(?s:.*)account\s+database`),
		})
	}
	newWorld(t).run(append(steps, emptyPlan(platformWithDatabase(nil)))...)
}

func TestAccEnvironmentMayTakeThePortOfOneThatGoes(t *testing.T) {
	t.Parallel()
	first := regionBlock(nil) + environmentBlock(attrs{"network": "{ https_port = 20443 }"})
	second := regionBlock(nil) + twin(attrs{"name": `"other"`, "network": "{ https_port = 20443 }"})
	newWorld(t).run(
		resource.TestStep{Config: first},
		resource.TestStep{Config: second, PlanOnly: true, ExpectNonEmptyPlan: true},
		resource.TestStep{Config: regionBlock(nil) + environmentBlock(attrs{"name": `"renamed"`, "network": "{ https_port = 20443 }"})},
	)
}

func TestAccEnvironmentOfAnotherOwnerKeepsItsPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.provisioner("another state")
	theirs := target.Environment{
		Region: "us", Name: "production", Kind: target.KindProduction, Tenancy: target.TenancyMultiTenant, DomainName: "us.localhost",
		Network:  target.Network{ListenAddress: "127.0.0.1", HTTPSPort: 20443, PreviewPort: 28443},
		Database: target.Database{MaxConnections: 100},
	}
	if _, _, err := other.CreateRegion(t.Context(), target.Region{Name: "us", Location: "us", Jurisdiction: "US"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.CreateEnvironment(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	remove := func() {
		if err := other.DeleteEnvironment(t.Context(), theirs.ID()); err != nil {
			t.Fatal(err)
		}
		if err := other.DeleteRegion(t.Context(), "us"); err != nil {
			t.Fatal(err)
		}
	}
	config := platformWithEnvironment(attrs{"network": "{ https_port = 20443 }"})
	w.run(
		resource.TestStep{Config: config, ExpectError: regexp.MustCompile(`is\s+used\s+by\s+environment\s+"us/production"`)},
		resource.TestStep{Config: config, PreConfig: remove},
		emptyPlan(config),
	)
}
