package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// onAWS is the provider's block for aws; the target behind it is in memory all the same.
func onAWS() map[string]any {
	return map[string]any{"target": "aws", "aws": map[string]any{"region": "eu-central-1", "domain_name": "example.com"}}
}

func anAWSNetwork(changes set) set {
	return set{"aws": set{"vpc": with(set{
		"id": "vpc-01234567", "public_subnet_ids": []any{"subnet-00000001", "subnet-00000002"},
		"private_subnet_ids":  []any{"subnet-00000003", "subnet-00000004"},
		"database_subnet_ids": []any{"subnet-00000005", "subnet-00000006"},
	}, changes)}}
}

func TestEnvironmentRefusesWrongValuesOnAWS(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(onAWS())
	if p := l.plan(l.nothing("environment"), anEnvironment()); len(p.diags) > 0 {
		t.Fatalf("the configuration itself: %s", p.diags)
	}
	aws := func(name string, v any) set { return set{"aws": set{name: v}} }
	database := func(name string, v any) set { return aws("database", set{name: v}) }
	for name, c := range map[string]struct {
		change   set
		at, want string
	}{
		"a listen address":                  {set{"network": set{"listen_address": "127.0.0.1"}}, `AttributeName("listen_address")`, "has no listen_address"},
		"a number of connections":           {set{"database": set{"max_connections": 50}}, `AttributeName("max_connections")`, "max_capacity_units"},
		"a port that leads from HTTP":       {set{"network": set{"https_port": 80}}, `AttributeName("https_port")`, "port 80"},
		"a name of this machine":            {set{"domain_name": "eu.localhost"}, `AttributeName("domain_name")`, "hosted zone"},
		"a name too long for a certificate": {set{"domain_name": strings.Repeat("a", 60) + ".example.com"}, `AttributeName("domain_name")`, "at most 64"},
		"another certificate":               {aws("certificate_arn", "x"), `AttributeName("certificate_arn")`, "not the ARN"},
		"a zone that is none":               {aws("hosted_zone_id", "example.com"), `AttributeName("hosted_zone_id")`, "not the id"},
		"a way out that is none":            {aws("nat", "two"), `AttributeName("nat")`, `"two" is not allowed`},
		"one zone":                          {aws("zones", 1), `AttributeName("zones")`, "2 or 3"},
		"a block that is an address":        {aws("preview_cidr_blocks", []any{"192.0.2.1"}), `AttributeName("preview_cidr_blocks")`, "not an IPv4 block"},
		"a block with bits beyond":          {aws("cidr_blocks", []any{"192.0.2.1/24"}), `AttributeName("cidr_blocks")`, "not an IPv4 block"},
		"a closed door and no image":        {set{"aws": set{"nat": "none", "internal": true}}, `AttributeName("probe_image")`, "in your Amazon ECR"},
		"an image that is none":             {aws("probe_image", "?"), `AttributeName("probe_image")`, "not the name of an image"},
		"a production that pauses":          {database("min_capacity_units", 0.0), `AttributeName("min_capacity_units")`, "production must not"},
		"less at most than at least":        {aws("database", set{"min_capacity_units": 4.0, "max_capacity_units": 2.0}), `AttributeName("max_capacity_units")`, "min_capacity_units, which is 4: expected 4 to 256"},
		"a third of a unit":                 {database("max_capacity_units", 1.3), `AttributeName("max_capacity_units")`, "steps of 0.5"},
		"no instance":                       {database("instances", 0), `AttributeName("instances")`, "0 is out of range"},
		"backups for a year":                {database("backup_retention_days", 365), `AttributeName("backup_retention_days")`, "1 to 35"},
		"an engine that is none":            {database("engine_version", "latest"), `AttributeName("engine_version")`, "not a version that can be used"},
		"a VPC that is none":                {anAWSNetwork(set{"id": "mine"}), `AttributeName("vpc").AttributeName("id")`, "not the id of a VPC"},
		"a VPC with one subnet":             {anAWSNetwork(set{"private_subnet_ids": []any{"subnet-00000003"}}), `AttributeName("private_subnet_ids")`, "at least 2"},
		"a VPC without public subnets":      {anAWSNetwork(set{"public_subnet_ids": nil}), `AttributeName("public_subnet_ids")`, "at least 2"},
		"a block that is none":              {aws("vpc_cidr_block", "10.20.0.0"), `AttributeName("vpc_cidr_block")`, "not an IPv4 block"},
		"a block of IPv6":                   {aws("vpc_cidr_block", "fd00::/16"), `AttributeName("vpc_cidr_block")`, "not an IPv4 block"},
		"a block that begins elsewhere":     {aws("vpc_cidr_block", "10.20.8.0/20"), `AttributeName("vpc_cidr_block")`, "not an IPv4 block"},
		"a block that is too large":         {aws("vpc_cidr_block", "10.0.0.0/8"), `AttributeName("vpc_cidr_block")`, "at most a /16"},
		"a block that is too small":         {aws("vpc_cidr_block", "10.20.0.0/25"), `AttributeName("vpc_cidr_block")`, "at least a /24"},
		"a block of others":                 {aws("vpc_cidr_block", "172.32.0.0/16"), `AttributeName("vpc_cidr_block")`, "is not private"},
		"a block that AWS uses itself":      {aws("vpc_cidr_block", "172.17.16.0/20"), `AttributeName("vpc_cidr_block")`, "lies in 172.17.0.0/16"},
		"a VPC and a block":                 {set{"aws": with(anAWSNetwork(nil)["aws"].(set), set{"vpc_cidr_block": "10.20.0.0/16"})}, `AttributeName("vpc_cidr_block")`, "remove one of them"},
		"a VPC and gateways":                {set{"aws": with(anAWSNetwork(nil)["aws"].(set), set{"nat": "single"})}, `AttributeName("nat")`, "remove one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			l.configure()
			got := l.plan(l.nothing("environment"), with(anEnvironment(), c.change)).diags.String()
			if !strings.Contains(got, c.at) || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant an error at %s with %q", got, c.at, c.want)
			}
		})
	}
}

func TestEnvironmentHasTheDefaultsOfItsTarget(t *testing.T) {
	t.Parallel()
	given := with(anEnvironment(), anAWSNetwork(nil))
	for name, c := range map[string]struct {
		provider map[string]any
		config   map[string]any
		want     map[string]any
	}{
		"production on aws": {onAWS(), anEnvironment(), map[string]any{
			"domain_name": "production.eu.example.com", "url": "https://production.eu.example.com", "preview_url": "https://production.eu.example.com:8443",
			"network.listen_address": nil, "database.max_connections": nil, "aws.nat": "per_zone", "aws.internal": false, "aws.vpc": nil, "aws_resources": unknown{},
			"aws.vpc_cidr_block": "10.43.0.0/16",
		}},
		"a sandbox on aws": {onAWS(), with(anEnvironment(), set{"kind": "sandbox"}), map[string]any{"aws.nat": "single", "deletion_protection": false}},
		"long names under a short domain": {set{"target": "aws", "aws": set{"region": "eu-central-1", "domain_name": "a.co"}}, with(anEnvironment(), set{
			"name": strings.Repeat("e", 40), "region_id": strings.Repeat("r", 17), "aws": set{"zones": 2},
		}), map[string]any{"domain_name": strings.Repeat("e", 40) + "." + strings.Repeat("r", 17) + ".a.co"}},
		"a given network":          {onAWS(), given, map[string]any{"aws.nat": nil, "aws.zones": nil, "aws.vpc_cidr_block": nil, "aws.vpc.id": "vpc-01234567"}},
		"a chosen block":           {onAWS(), with(anEnvironment(), set{"aws": set{"vpc_cidr_block": "10.20.0.0/20"}}), map[string]any{"aws.vpc_cidr_block": "10.20.0.0/20", "aws.zones": 3.0}},
		"a name that is not known": {onAWS(), with(anEnvironment(), set{"name": unknown{}}), map[string]any{"aws.vpc_cidr_block": unknown{}, "aws.zones": 3.0}},
		"a kind that is not known": {onAWS(), with(anEnvironment(), set{"kind": unknown{}}), map[string]any{
			"aws.nat": unknown{}, "aws.zones": unknown{}, "aws.internal": false, "aws.database.engine_version": "17.7", "aws.database.instances": unknown{},
		}},
		"settings that are not known": {onAWS(), with(anEnvironment(), set{"aws": unknown{}}), map[string]any{"aws": unknown{}, "url": "https://production.eu.example.com"}},
		"on this machine":             {nil, anEnvironment(), map[string]any{"aws": nil, "network.listen_address": "127.0.0.1", "database.max_connections": 200.0}},
		"a target that is not known": {map[string]any{"target": unknown{}}, anEnvironment(), map[string]any{
			"aws": unknown{}, "domain_name": unknown{}, "network.https_port": unknown{}, "network.listen_address": unknown{}, "database.max_connections": unknown{}, "url": unknown{},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newWorld(t).lab(c.provider)
			p := l.plan(l.nothing("environment"), c.config)
			if len(p.diags) > 0 {
				t.Fatal(p.diags)
			}
			for path, want := range c.want {
				if got := at(p.planned, path); got != want {
					t.Errorf("planned %s is %v, want %v", path, got, want)
				}
			}
		})
	}
}

func TestEnvironmentOnAWSNeedsAName(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(map[string]any{"target": "aws", "aws": map[string]any{"region": "eu-central-1"}})
	if d := l.plan(l.nothing("environment"), anEnvironment()).diags.String(); !strings.Contains(d, `AttributeName("domain_name")`) || !strings.Contains(d, "aws.domain_name of the provider") {
		t.Errorf("got %s", d)
	}
	local := newWorld(t).lab(nil)
	if d := local.plan(local.nothing("environment"), with(anEnvironment(), set{"aws": set{}})).diags.String(); !strings.Contains(d, `AttributeName("aws")`) || !strings.Contains(d, "set it to null") {
		t.Errorf("on local: got %s", d)
	}
}

func TestEnvironmentOnAWSMovesOnlyAsAnother(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(onAWS())
	l.made("region", aRegion())
	o := l.made("environment", anEnvironment())
	for name, c := range map[string]struct {
		aws  set
		want string // the attribute that it is replaced for
	}{
		"the load balancer's kind": {set{"internal": true}, "internal"},
		"the zones":                {set{"zones": 2}, "zones"},
		"the network":              {anAWSNetwork(nil)["aws"].(set), "vpc"},
		"the block":                {set{"vpc_cidr_block": "10.20.0.0/16"}, "vpc_cidr_block"},
		"the block that it has":    {set{"vpc_cidr_block": "10.43.0.0/16"}, ""},
		"what changes in place":    {set{"nat": "none", "database": set{"instances": 3}}, ""},
	} {
		l.configure()
		p := l.plan(o, with(anEnvironment(), set{"aws": c.aws}))
		var want []string
		if c.want != "" {
			want = []string{fmt.Sprintf("AttributeName(\"aws\").AttributeName(%q)", c.want)}
		}
		if len(p.diags) > 0 || !slices.Equal(p.replace, want) {
			t.Errorf("%s: replaced for %q, %s", name, p.replace, p.diags)
		}
	}
	l.configure()
	if p := l.plan(o, with(anEnvironment(), set{"name": "another", "deletion_protection": false})); !slices.Equal(p.replace, []string{`AttributeName("name")`}) {
		t.Errorf("another name, and so another block by default: replaced for %q, %s", p.replace, p.diags)
	}
	l.configure()
	p := l.plan(o, with(anEnvironment(), set{"aws": set{"database": set{"engine_version": "18.3"}}}))
	if !strings.Contains(p.diags.String(), `AttributeName("engine_version")`) {
		t.Errorf("another major version: %s", p.diags)
	}
	o = l.changed(o, with(anEnvironment(), set{"aws": set{"database": set{"engine_version": "17.4"}}}))
	const engine = "aws.database.engine_version"
	if p := l.plan(o, with(anEnvironment(), set{"tags": set{"team": "shop"}})); at(p.planned, engine) != "17.4" || len(p.diags) > 0 {
		t.Errorf("by default, where it is 17.4, %s is %v: %s", engine, at(p.planned, engine), p.diags)
	}
}

// An environment that was made before its block could be chosen stays where it is: as long as its
// state does not say the block, and after a refresh that reads it from a record that does not either.
func TestEnvironmentOfBeforeBlocksWereChosenStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(onAWS())
	l.made("region", aRegion())
	o := l.made("environment", anEnvironment())
	rec, err := w.GetEnvironment(t.Context(), production)
	if err == nil {
		rec.Spec.AWS.VPCBlock = ""
		_, err = w.PutEnvironment(t.Context(), rec.Spec, target.PutOptions{Owner: rec.Meta.Owner, IfGeneration: rec.Meta.Generation})
	}
	if err != nil {
		t.Fatal(err)
	}
	block := tftypes.NewAttributePath().WithAttributeName("aws").WithAttributeName("vpc_cidr_block")
	old := o
	old.state, err = tftypes.Transform(o.state, func(p *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if p.Equal(block) {
			return tftypes.NewValue(tftypes.String, nil), nil
		}
		return v, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	l.configure()
	if p := l.plan(old, anEnvironment()); len(p.diags) > 0 || len(p.replace) > 0 || at(p.planned, "aws.vpc_cidr_block") != "10.43.0.0/16" {
		t.Errorf("without a refresh: replaced for %q, %s, %v", p.replace, p.diags, at(p.planned, "aws.vpc_cidr_block"))
	}
	read, d := l.read(old)
	if len(d) > 0 || at(read.state, "aws.vpc_cidr_block") != "10.43.0.0/16" {
		t.Errorf("read %v: %s", at(read.state, "aws.vpc_cidr_block"), d)
	}
	l.configure()
	if p := l.plan(read, anEnvironment()); len(p.diags) > 0 || !p.planned.Equal(read.state) {
		t.Errorf("after a refresh a change is planned: %s", p.diags)
	}
}

// A state belongs to one target: what was made on one is not looked for on another.
func TestStateOfAnotherTargetIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to map[string]any
		want     string
	}{
		{nil, onAWS(), `made on the local target, and the provider's target is "aws" now`},
		{onAWS(), nil, `made on the aws target, and the provider's target is "local" now`},
	} {
		w := newWorld(t)
		l := w.lab(c.from)
		made := map[string]object{"region": l.made("region", aRegion()), "environment": l.made("environment", anEnvironment())}
		other := w.lab(c.to)
		for kind, config := range map[string]map[string]any{"region": aRegion(), "environment": anEnvironment()} {
			same, d := other.read(made[kind])
			if !strings.Contains(d.String(), c.want) || !same.state.Equal(made[kind].state) {
				t.Errorf("read %s: %s", kind, d)
			}
			for _, p := range []plan{other.plan(made[kind], config), other.plan(made[kind], nil)} {
				if !strings.Contains(p.diags.String(), c.want) {
					t.Errorf("plan %s: %s", kind, p.diags)
				}
			}
		}
	}
}

// TestAnEmptySetOfBlocksIsRefused: left out, everybody may come in; empty would read as nobody.
func TestAnEmptySetOfBlocksIsRefused(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(nil)
	for at, aws := range map[string]set{
		`AttributeName("aws").AttributeName("cidr_blocks")`:                           {"cidr_blocks": []any{}},
		`AttributeName("aws").AttributeName("database").AttributeName("cidr_blocks")`: {"database": set{"cidr_blocks": []any{}}},
	} {
		said := l.validate("environment", with(anEnvironment(), set{"aws": aws}))
		if len(said) != 1 || !said.errors() || !strings.Contains(said.String(), at) || !strings.Contains(said.String(), "leave cidr_blocks out") {
			t.Errorf("%s: %s", at, said)
		}
	}
}
