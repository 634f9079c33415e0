package provider_test

import (
	"context"
	"slices"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// keyless is a target on which the keys of regions are gone.
type keyless struct{ target.Driver }

func (k keyless) GetRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	rec, err := k.Driver.GetRegion(ctx, id)
	rec.Meta.Problem, rec.Anew = "the key is gone", []string{"kms_key_arn"}
	rec.Ends = "Its key old will go."
	rec.AWS = &target.AWSRegion{KeyARN: "arn:aws:kms:eu-central-1:123456789012:key/old", LogBucket: "logs"}
	return rec, err
}

func TestPlanOfARegionsEndSaysWhatGoesWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil, provider.WithDriver(func(provider.Settings) (target.Driver, error) { return keyless{w.Target}, nil }))
	o := l.made("region", aRegion())
	warned(t, l.plan(o, nil).diags, "", "Its key old will go.")
	l.configure()
	warned(t, l.plan(o, with(aRegion(), set{"name": "us"})).diags, "", "Its key old will go.")
}

func TestPlanOfAnEnvironmentsEndSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil, provider.WithDriver(func(provider.Settings) (target.Driver, error) { return keyless{w.Target}, nil }))
	l.made("region", aRegion())
	o := l.made("environment", anEnvironment())
	warned(t, l.plan(o, nil).diags, "", "the snapshot of production")
	l.configure()
	warned(t, l.plan(o, with(anEnvironment(), set{"name": "other"})).diags, "", "the snapshot of production")
}

func (k keyless) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	rec, err := k.Driver.GetEnvironment(ctx, id)
	rec.Leaves = "the snapshot of production"
	rec.Status.AWS = &target.AWSResources{VPC: "vpc-1", KeyARN: "arn:aws:kms:eu-central-1:123456789012:key/old"}
	return rec, err
}

// platform is one of everything.
func (l *lab) platform() map[string]object {
	l.t.Helper()
	all := map[string]object{}
	for _, kind := range []string{"region", "environment", "account_database", "deployment_slot"} {
		all[kind] = l.made(kind, platformOf[kind]())
	}
	return all
}

var platformOf = map[string]func() map[string]any{
	"region": aRegion, "environment": anEnvironment, "account_database": aDatabase, "deployment_slot": aSlot,
}

// updated says which kinds are planned to change in one walk, in which one of them has other settings.
func (l *lab) updated(all map[string]object, kind string, change set) (changed []string, plans map[string]plan) {
	l.t.Helper()
	l.configure()
	plans = map[string]plan{}
	for _, k := range []string{"region", "environment", "account_database", "deployment_slot"} {
		config := platformOf[k]()
		if k == kind {
			config = with(config, change)
		}
		o, _ := l.read(all[k])
		p := l.plan(o, config)
		if p.diags.errors() {
			l.t.Errorf("plan %s: %s", k, p.diags)
		}
		plans[k] = p
		if !p.planned.Equal(o.state) {
			changed = append(changed, k)
		}
	}
	return changed, plans
}

func TestTagsOfAnEnvironmentReachWhatIsInItInTheSamePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config map[string]any
		kind   string
		change set
		want   []string
	}{
		"nothing on aws":        {onAWS(), "", nil, nil},
		"tags on aws":           {onAWS(), "environment", set{"tags": set{"team": "shop"}}, []string{"environment", "account_database", "deployment_slot"}},
		"something else on aws": {onAWS(), "environment", set{"aws": set{"nat": "none"}}, []string{"environment"}},
		"tags of the region":    {onAWS(), "region", set{"tags": set{"team": "shop"}}, []string{"region"}},
		"tags on local":         {nil, "environment", set{"tags": set{"team": "shop"}}, []string{"environment"}},
	} {
		l := newWorld(t).lab(c.config)
		if got, _ := l.updated(l.platform(), c.kind, c.change); !slices.Equal(got, c.want) {
			t.Errorf("%s: planned are %q, want %q", name, got, c.want)
		}
	}
}

func TestAKeyThatIsMadeAnewIsUnknownBeforeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.lab(onAWS()).platform()
	l := w.lab(onAWS(), provider.WithDriver(func(provider.Settings) (target.Driver, error) { return keyless{w.Target}, nil }))
	got, plans := l.updated(all, "", nil)
	if want := []string{"region", "environment", "account_database"}; !slices.Equal(got, want) {
		t.Errorf("planned are %q, want %q", got, want)
	}
	for _, kind := range []string{"region", "environment"} {
		if v := at(plans[kind].planned, "aws_resources.kms_key_arn"); v != (unknown{}) {
			t.Errorf("the key of the %s is planned as %v", kind, v)
		}
	}
	if vpc, bucket := at(plans["environment"].planned, "aws_resources.vpc_id"), at(plans["region"].planned, "aws_resources.log_bucket_name"); vpc != "vpc-1" || bucket != "logs" {
		t.Errorf("the network is planned as %v, the bucket as %v", vpc, bucket)
	}
}

// stranger is a target whose credentials are good for nothing.
type stranger struct{ target.Driver }

func (stranger) CheckRegion(context.Context, target.Region) error {
	return target.Errorf(target.ErrSignIn, "no credentials")
}

func TestCredentialsAreNoFaultOfALocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(onAWS(), provider.WithDriver(func(provider.Settings) (target.Driver, error) { return stranger{w.Target}, nil }))
	if d := l.plan(l.nothing("region"), aRegion()).diags; len(d) != 1 || d[0].Attribute != nil {
		t.Errorf("got %s, want one error at no attribute", d)
	}
}
