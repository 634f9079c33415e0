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
				resource.TestCheckResourceAttr(environmentAddress, "network.preview_port", fmt.Sprint(port+8000)),
				resource.TestCheckResourceAttr(environmentAddress, "database.max_connections", "200"),
				resource.TestCheckResourceAttr(environmentAddress, "deletion_protection", "true"),
				resource.TestCheckResourceAttr(environmentAddress, "url", fmt.Sprintf("https://production.eu.localhost:%d", port)),
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", fmt.Sprintf("https://production.eu.localhost:%d", port+8000)),
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
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", fmt.Sprintf("https://eu.example.com.localhost:%d", port+8000)),
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

func TestAccEnvironmentRefusesWrongValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"a name that can't be an id":               {platformWithEnvironment(attrs{"name": `"a/b"`}), `contains\s+'/'`},
		"a region that can't be an id":             {platformWithEnvironment(attrs{"region_id": `"EU"`}), `contains\s+'E'`},
		"an unknown kind":                          {platformWithEnvironment(attrs{"kind": `"staging"`}), `"staging"\s+is\s+not\s+allowed`},
		"an unknown tenancy":                       {platformWithEnvironment(attrs{"tenancy": `"none"`}), `"none"\s+is\s+not\s+allowed`},
		"single-tenant without an account":         {platformWithEnvironment(attrs{"tenancy": `"single_tenant"`}), `belongs\s+to\s+one\s+account`},
		"multi-tenant with an account":             {platformWithEnvironment(attrs{"account": `"acme"`}), `shared\s+by\s+many\s+accounts`},
		"an empty account":                         {platformWithEnvironment(attrs{"account": `""`}), `at\s+least\s+1`},
		"a domain name with a space":               {platformWithEnvironment(attrs{"domain_name": `"a b"`}), `not\s+a\s+domain\s+name`},
		"a listen address that is none":            {platformWithEnvironment(attrs{"network": `{ listen_address = "localhost" }`}), `not\s+an\s+IP\s+address`},
		"a port that is none":                      {platformWithEnvironment(attrs{"network": `{ https_port = 70000 }`}), `70000\s+is\s+out\s+of\s+range`},
		"the same port twice":                      {platformWithEnvironment(attrs{"network": `{ https_port = 1443, preview_port = 1443 }`}), `is\s+the\s+https_port\s+too`},
		"too few connections":                      {platformWithEnvironment(attrs{"database": `{ max_connections = 1 }`}), `1\s+is\s+out\s+of\s+range`},
		"a production that mirrors":                {platformWithEnvironment(attrs{"mirrors": `"eu/other"`}), `Only\s+a\s+sandbox\s+mirrors`},
		"a sandbox that mirrors itself":            {platformWithEnvironment(attrs{"kind": `"sandbox"`, "mirrors": `"eu/production"`}), `can't\s+mirror\s+itself`},
		"a mirrored environment that is no id":     {platformWithEnvironment(attrs{"kind": `"sandbox"`, "mirrors": `"production"`}), `is\s+not\s+an\s+environment\s+id`},
		"a tag without a key":                      {platformWithEnvironment(attrs{"tags": `{ "" = "x" }`}), `tag\s+key\s+has`},
		"a region that is closed":                  {regionBlock(attrs{"closed": "true"}) + environmentBlock(nil), `closed\s+to\s+new\s+environments`},
		"another environment of the same id":       {platformWithEnvironment(nil) + twin(nil), `(?i)two\s+resources`},
		"another environment on the same port":     {platformWithEnvironment(nil) + twin(attrs{"name": `"other"`, "network": fmt.Sprintf("{ https_port = %d }", production.DefaultPreviewPort())}), `is\s+used\s+by\s+environment`},
		"another environment of the same domain":   {platformWithEnvironment(nil) + twin(attrs{"name": `"other"`, "domain_name": `"production.eu.localhost"`}), `is\s+the\s+domain\s+name\s+of\s+environment`},
		"a mirrored environment that is a sandbox": {platformWithEnvironment(attrs{"kind": `"sandbox"`}) + twin(attrs{"name": `"other"`, "kind": `"sandbox"`, "mirrors": "slipway_environment.test.id"}), `mirrors\s+a\s+production`},
		"a kind that turns out wrong at apply only": {`resource "terraform_data" "kind" { input = "staging" }
` + platformWithEnvironment(attrs{"kind": "terraform_data.kind.output"}), `"staging"\s+is\s+not\s+allowed`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t).run(resource.TestStep{Config: c.config, ExpectError: regexp.MustCompile(c.want)})
		})
	}
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
		resource.TestStep{Config: platformWithEnvironment(attrs{"name": `"other"`, "deletion_protection": "true"}), ExpectError: regexp.MustCompile(`Deletion\s+protection`)},
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
			ExpectError: regexp.MustCompile(`Environment\s+"eu/production"\s+holds\s+account\s+database`),
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

func TestAccSandboxThatIsApartFromItsProductionIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := func(release string) string {
		return platformWithSlot(nil) +
			twin(attrs{"name": `"sandbox"`, "kind": `"sandbox"`, "mirrors": "slipway_environment.test.id"}) +
			block("deployment_slot", "sandbox", attrs{
				"environment_id": "slipway_environment.twin.id", "name": `"oms"`, "release": `"` + release + `"`,
				"components": "{ api = " + apiComponent + " }", "allow_untested": "true",
			})
	}
	w.run(
		resource.TestStep{Config: config("1")},
		emptyPlan(config("1")),
		resource.TestStep{Config: config("2")},
		emptyPlan(config("2")),
	)
}
