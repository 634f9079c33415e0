package provider_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// limited is a target with the limits of AWS, and no way to it.
type limited struct {
	target.Driver
	target.Rooms
	target.Tagging
}

// awsRun is a slot that can run there, with another component.
func awsRun(component set) set {
	task := set{"image": "registry.example.com/suite:{release}"}
	return with(aSlot(), set{"components": set{"api": with(with(aComponent(), set{"image": "registry.example.com/api:{release}"}), component)}, "test_suite": task})
}

// limitedLab is a provider whose AWS tells who asks and what load balancers have, and nothing else.
func (w *world) limitedLab() *lab {
	t := w.t
	t.Helper()
	answers := map[string]string{
		"GetCallerIdentity":     `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
		"DescribeAccountLimits": `<DescribeAccountLimitsResponse><DescribeAccountLimitsResult><Limits/></DescribeAccountLimitsResult></DescribeAccountLimitsResponse>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.FormValue("Action")]
		if !ok {
			t.Errorf("a plan asks for %s %s", r.FormValue("Action"), r.Header.Get("X-Amz-Target"))
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	rooms := awstarget.New(awstarget.Settings{
		Region: frankfurt, SkipMetadataAPICheck: true, MaxRetries: 1, Endpoints: awstest.Endpoints(server.URL), DefaultTags: map[string]string{"Team": "platform"},
		SharedConfigFiles:      []string{awstest.File(t, "config", "")},
		SharedCredentialsFiles: []string{awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")},
	}, awstarget.Options{})
	return w.lab(set{"target": "aws", "aws": set{"region": frankfurt}}, provider.WithDriver(func(provider.Settings) (target.Driver, error) {
		return limited{w.Target, rooms, rooms}, nil
	}))
}

// inFrankfurt begins another plan, in which the slots' region is planned.
func (l *lab) inFrankfurt() {
	l.t.Helper()
	l.configure()
	if d := l.plan(l.nothing("region"), with(aRegion(), set{"location": frankfurt})).diags; d.errors() {
		l.t.Fatal(d)
	}
}

func TestPlanRefusesWhatAWSCantRun(t *testing.T) {
	t.Parallel()
	l := newWorld(t).limitedLab()
	arn := func(account, name string) string {
		return "arn:aws:secretsmanager:eu-central-1:" + account + ":secret:" + name + "-AbCdEf"
	}
	zone := func(name any) any {
		return set{"days": []any{"mon"}, "from": "08:00", "to": "18:00", "time_zone": name, "min": 1}
	}
	zones := func(names ...any) set {
		var all []any
		for _, n := range names {
			all = append(all, zone(n))
		}
		return awsRun(set{"scaling": set{"min": 1, "max": 3, "schedules": all}})
	}
	var many []any
	for i := range 50 {
		many = append(many, set{"host": fmt.Sprintf("h%d", i)})
	}
	for name, c := range map[string]struct {
		config   set
		at, want string // "": nothing is refused
	}{
		"what runs":               {awsRun(nil), "", ""},
		"no image":                {awsRun(set{"image": nil}), "image", "set image"},
		"a CPU":                   {awsRun(set{"cpu": 300}), "cpu", "no task of cpu 300: expected one of [256 512"},
		"a large CPU":             {awsRun(set{"cpu": 32768}), "cpu", "16384]"},
		"a CPU beside unknown":    {awsRun(set{"cpu": 300, "memory_mib": unknown{}, "image": unknown{}, "routes": unknown{}}), "cpu", "300"},
		"a memory":                {awsRun(set{"memory_mib": 100}), "memory_mib", "the next larger is 512"},
		"a memory for the CPU":    {awsRun(set{"cpu": 256, "memory_mib": 4096}), "memory_mib", "expected one of [512 1024 2048]"},
		"a long stop":             {awsRun(set{"stop_timeout_seconds": 121}), "stop_timeout_seconds", "120"},
		"a short stop":            {awsRun(set{"stop_timeout_seconds": 1}), "stop_timeout_seconds", "2 to 120"},
		"a space in an image":     {awsRun(set{"image": "r.example.com/api :1"}), "image", "lower-case"},
		"capitals in an image":    {awsRun(set{"image": "R.example.com/API:1"}), "image", "lower-case"},
		"no ARN":                  {awsRun(set{"secrets": set{"KEY": "foo"}}), "KEY", "secret:slipway/eu/production/NAME"},
		"another prefix":          {awsRun(set{"secrets": set{"KEY": arn("123456789012", "shop/key"), "OTHER": unknown{}}}), "KEY", `begin with "slipway/eu/production/"`},
		"another environment":     {awsRun(set{"secrets": set{"KEY": arn("123456789012", "slipway/eu/sandbox/accounts/acme")}}), "KEY", "slipway/eu/production/"},
		"another location":        {awsRun(set{"secrets": set{"KEY": strings.Replace(arn("123456789012", "slipway/eu/production/key"), frankfurt, "us-east-1", 1)}}), "KEY", "is in us-east-1"},
		"another AWS account":     {awsRun(set{"secrets": set{"KEY": arn("999999999999", "slipway/eu/production/key")}}), "KEY", "of AWS account 999999999999"},
		"a failed check":          {awsRun(set{"health_check": set{"path": "/", "unhealthy_threshold": 1}}), "unhealthy_threshold", "2 to 10"},
		"a long check":            {awsRun(set{"health_check": set{"path": "/", "interval_seconds": 5, "timeout_seconds": 10}}), "timeout_seconds", "waits 4 at most"},
		"traffic by account":      {with(awsRun(nil), set{"swap": set{"steps": []any{step(10, 0)}, "sticky_by": "account"}}), "sticky_by", "client"},
		"a long drain":            {with(awsRun(nil), set{"swap": set{"drain_seconds": 3601}}), "drain_seconds", "3600"},
		"two time zones":          {zones("Europe/Berlin", "America/New_York"), "schedules", "the same"},
		"too many routes":         {awsRun(set{"routes": many}), "components", "101 listener rules"},
		"a suite without image":   {with(awsRun(nil), set{"test_suite": set{"command": []any{"suite"}}}), "image", "set image"},
		"an unknown image":        {awsRun(set{"image": unknown{}}), "", ""},
		"an unknown CPU":          {awsRun(set{"cpu": unknown{}, "memory_mib": 4096}), "", ""},
		"an unknown time zone":    {zones("Europe/Berlin", unknown{}), "", ""},
		"an unknown secret":       {awsRun(set{"secrets": set{"KEY": unknown{}}}), "", ""},
		"unknown components":      {with(awsRun(nil), set{"components": unknown{}}), "", ""},
		"an unknown component":    {with(awsRun(nil), set{"components": set{"api": unknown{}}}), "", ""},
		"an unknown suite":        {with(awsRun(nil), set{"test_suite": unknown{}}), "", ""},
		"an unknown environment":  {with(awsRun(set{"secrets": set{"KEY": arn("123456789012", "slipway/us/shop/key")}}), set{"environment_id": unknown{}}), "", ""},
		"a CPU, somewhere":        {with(awsRun(set{"cpu": 300}), set{"environment_id": unknown{}, "name": unknown{}}), "cpu", "300"},
		"a CPU of any release":    {with(awsRun(set{"cpu": 300}), set{"release": unknown{}}), "cpu", "300"},
		"a part of the secret":    {awsRun(set{"secrets": set{"KEY": arn("123456789012", "slipway/eu/production/key") + ":password::"}}), "", ""},
		"health as it is counted": {awsRun(set{"health_check": set{"path": "/", "healthy_threshold": 11}}), "", ""},
	} {
		l.inFrankfurt()
		p := l.plan(l.nothing("deployment_slot"), c.config)
		said := p.diags.String()
		if c.at == "" {
			if p.diags.errors() {
				t.Errorf("%s: %s", name, said)
			}
			continue
		}
		p.diags.namesEachAttributeOnce(t)
		if !p.diags.errors() || !strings.Contains(said, c.at) || !strings.Contains(said, c.want) || strings.Contains(said, "memory_mib 0") {
			t.Errorf("%s: got %s, want %q at %s", name, said, c.want, c.at)
		}
	}
}

func TestPlanCountsTheSlotsOfAnEnvironment(t *testing.T) {
	t.Parallel()
	l := newWorld(t).limitedLab()
	l.inFrankfurt()
	slot := func(environment, name string) set {
		var routes []any
		for i := range 17 {
			routes = append(routes, set{"host": fmt.Sprintf("%s-%d", name, i)})
		}
		return with(awsRun(set{"routes": routes}), set{"environment_id": environment, "name": name})
	}
	for _, of := range []set{slot("eu/production", "oms"), slot("eu/sandbox", "oms"), slot("eu/production", "wms")} {
		if d := l.plan(l.nothing("deployment_slot"), of).diags; d.errors() {
			t.Fatal(d)
		}
	}
	if d := l.plan(l.nothing("deployment_slot"), slot("eu/production", "tms")).diags; !strings.Contains(d.String(), "105 listener rules") {
		t.Errorf("got %s", d)
	}
}

func TestPlanRefusesTagsThatTheProvidersStandAgainst(t *testing.T) {
	t.Parallel()
	l := newWorld(t).limitedLab()
	many := set{}
	for i := range 40 {
		many[fmt.Sprintf("t%d", i)] = "x"
	}
	aws := with(anEnvironment(), set{"domain_name": "shop.example.com"})
	for kind, config := range map[string]set{"region": with(aRegion(), set{"location": frankfurt}), "environment": aws, "deployment_slot": awsRun(nil)} {
		for name, c := range map[string]struct {
			tags     set
			at, want string // "": nothing is refused
		}{
			"the same key":        {set{"Team": "shop"}, "", ""},
			"a key in other case": {set{"team": "shop"}, `AttributeName("tags").ElementKeyString("team")`, `"Team"`},
			"too many together":   {many, `AttributeName("tags")`, "41 tags"},
		} {
			if l.configure(); kind != "region" {
				l.inFrankfurt()
			}
			if name == "a key in other case" && kind != "environment" { // whose roles bear them
				c.at, c.want = "", ""
			}
			d := l.plan(l.nothing(kind), with(config, set{"tags": c.tags})).diags
			if said := d.String(); d.errors() != (c.at != "") || !strings.Contains(said, c.at) || !strings.Contains(said, c.want) {
				t.Errorf("%s of a %s: got %s, want %q at %s", name, kind, said, c.want, c.at)
			}
		}
	}
}

// Routes that a release drops stay until the swap to it is over.
func TestPlanCountsTheRoutesThatASlotDrops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.limitedLab()
	routes := func(from, to int) set {
		var all []any
		for i := from; i < to; i++ {
			all = append(all, set{"host": fmt.Sprintf("h%d", i)})
		}
		return set{"routes": all}
	}
	before := w.lab(nil)
	before.made("region", aRegion())
	before.made("environment", anEnvironment())
	o := before.made("deployment_slot", with(aSlot(), components("api", routes(0, 49))))
	o.private = nil // which says that it is of another target
	for to, want := range map[int]bool{49: false, 48: false, 50: true} {
		l.inFrankfurt()
		d := l.plan(o, awsRun(routes(max(0, to-49), to))).diags
		if got := strings.Contains(d.String(), "listener rules"); got != want || d.errors() != want {
			t.Errorf("routes up to %d: got %s", to, d)
		}
	}
}
