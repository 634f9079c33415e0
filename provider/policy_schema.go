package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func policyAttributes() map[string]schema.Attribute {
	p := defaultPolicy()
	return map[string]schema.Attribute{
		"approval":                 defaultString(string(p.Approval), "Who lets a tested candidate take traffic: with `automatic` it does so by itself; with `manual` the apply ends with the candidate tested and waiting, and goes on when `approved_release`, the action `slipway_promote` or an operator's command approves it."),
		"approval_timeout_seconds": defaultNumber(p.ApprovalTimeoutSeconds, "How long a candidate waits for approval before it is removed, in seconds; it is never promoted by the passing of time."),
		"bake_seconds":             defaultNumber(p.BakeSeconds, "How long a release is watched once it has all traffic, in seconds; a breach of the guardrails switches back. With 0 only workers and the health of instances are waited for."),
		"drain_seconds":            defaultNumber(p.DrainSeconds, "How long requests that the old stack has accepted may take to finish there, in seconds."),
		"fallback_until_next_release": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(p.FallbackUntilNextRelease),
			MarkdownDescription: "Whether the old stack stays warm until the next release needs its seat, however long that is: `fallback_window_seconds` counts for nothing then. Defaults to `false`.",
		},
		"fallback_window_seconds": defaultNumber(p.FallbackWindowSeconds, "How long the old stack stays warm after the switch, in seconds, 0 to remove it at once."),
		"guardrails": schema.SingleNestedAttribute{
			Optional: true, Computed: true, Attributes: guardrailsAttributes(),
			Default:             objectdefault.StaticValue(fromGuardrails(p.Guardrails)),
			MarkdownDescription: "Limits that a release must keep during its steps and its bake. Defaults to `{ max_error_percent = 5 }`; where it is given, a limit that it leaves out is not looked at.",
		},
		"minimum_healthy_seconds": defaultNumber(p.MinimumHealthySeconds, "How long every instance must stay healthy before the candidate is tested, in seconds."),
		"on_too_few_requests":     defaultString(string(p.OnTooFewRequests), "What happens where a step or the bake ends without a breach and without enough requests to judge: `promote` goes on, `roll_back` switches back."),
		"start_timeout_seconds":   defaultNumber(p.StartTimeoutSeconds, "How long the candidate may take from its start until every instance is healthy, in seconds."),
		"steps":                   nestedListAttribute("Shares of the traffic that a candidate gets one after the other, each larger than the one before, until it gets all of it. Each is held and judged. Defaults to none: all traffic at once. Going back to a fallback and the first deployment take no steps.", stepAttributes()),
		"sticky_by": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty{}},
			MarkdownDescription: "What keeps a client on one side during the steps: `account` sends everybody of one host name the same way, `client` everybody with the same cookie. Defaults to none: each request goes its own way. It needs `steps`.",
		},
		"waiting_capacity_percent": defaultNumber(p.WaitingCapacityPercent, "The part of its instances that a candidate keeps while it waits for approval, in percent, rounded up; it is brought back to all of them, and checked again, before it takes traffic.", notZero{100}),
	}
}

func policyType() types.ObjectType { return nestedType(policyAttributes()) }

func guardrailsAttributes() map[string]schema.Attribute {
	g := defaultPolicy().Guardrails
	limit := func(description string) schema.Attribute {
		return schema.Float64Attribute{Optional: true, MarkdownDescription: description + "; where it is left out it is not looked at."}
	}
	return map[string]schema.Attribute{
		"max_error_percent":          limit("The most requests that may get an answer of 500 or above, or none, in percent"),
		"max_error_percent_over_old": limit("How many percentage points of failed requests there may be more than in the old stack over the same seconds"),
		"max_p99_milliseconds":       limit("The longest that 99 of 100 requests may take, in milliseconds"),
		"max_p99_ratio":              limit("How many times as long as in the old stack over the same seconds 99 of 100 requests may take, 1 or more"),
		"minimum_requests":           defaultNumber(g.MinimumRequests, "How many requests must have been answered, or have waited for a second, to judge a release by them.", notZero{}),
		"window_seconds":             defaultNumber(g.WindowSeconds, "How far back a judgement looks, in seconds, at most to the beginning of the step; the whole step is judged too.", notZero{}),
	}
}

func guardrailsType() types.ObjectType { return nestedType(guardrailsAttributes()) }

// defaultHoldSeconds is how long a share is held where its step does not say.
const defaultHoldSeconds = 60

// In elements of lists nothing is Required in the framework's sense, which would refuse an
// element that is not known yet: the library refuses what is missing.

func stepAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"hold_seconds": defaultNumber(defaultHoldSeconds, "How long the share is held and judged before the next one, in seconds."),
		"percent":      schema.Int64Attribute{Optional: true, MarkdownDescription: "The candidate's share of the requests in percent, 1 to 99; every step has one."},
	}
}

func stepType() types.ObjectType { return nestedType(stepAttributes()) }

// defaultNumber is a number that may be left out. The description gets its default.
func defaultNumber(value int, description string, validators ...validator.Int64) schema.Attribute {
	return schema.Int64Attribute{
		Optional: true, Computed: true, Default: int64default.StaticInt64(int64(value)), Validators: validators,
		MarkdownDescription: fmt.Sprintf("%s Defaults to %d.", description, value),
	}
}

// defaultString is defaultNumber for a word.
func defaultString(value, description string) schema.Attribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(value), Validators: []validator.String{notEmpty{}},
		MarkdownDescription: fmt.Sprintf("%s Defaults to `%s`.", description, value),
	}
}

// defaultPolicy is how a slot swaps where the configuration does not say otherwise.
func defaultPolicy() target.Policy {
	return target.Policy{
		StartTimeoutSeconds: 300, MinimumHealthySeconds: 5, DrainSeconds: 30,
		Approval: target.ApprovalAutomatic, ApprovalTimeoutSeconds: 3600, WaitingCapacityPercent: 100,
		BakeSeconds: 10, Guardrails: target.Guardrails{WindowSeconds: 30, MinimumRequests: 20, MaxErrorPercent: new(5.0)},
		OnTooFewRequests: target.VerdictPromote, FallbackWindowSeconds: 1800,
	}
}
