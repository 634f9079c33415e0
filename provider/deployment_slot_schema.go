package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func deploymentSlotSchema(ctx context.Context, l limits) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "The place in an environment where a release is live. A change of `release` or of what its components run brings a complete new stack up beside the running one, waits until it is healthy, tests it, and switches the traffic to it, at once or in `swap.steps`; the new release is watched, and the old stack stays warm for a while as a fallback.",
		Attributes: whole(map[string]schema.Attribute{
			"id": idAttribute("the environment's id and the name joined by `/` such as `eu/production/oms`"),
			"allow_untested": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Whether a release may take the traffic without a `test_suite`; defaults to `false`, and a change alone starts no swap.",
			},
			"approved_release": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty{}},
				MarkdownDescription: "Release that may take the traffic where `swap.approval` is `manual`: a candidate of this release goes on, one of another waits. Defaults to none, and a change alone starts no swap.",
			},
			"candidate": schema.SingleNestedAttribute{
				Computed: true, Attributes: candidateAttributes(),
				MarkdownDescription: "The stack that is being brought up to take over, if there is one.",
			},
			"components": schema.MapNestedAttribute{
				Required:            true,
				Validators:          []validator.Map{noNulls{}},
				NestedObject:        schema.NestedAttributeObject{Attributes: componentAttributes()},
				MarkdownDescription: "The independently scaled parts of the application, by name. A change of anything but `scaling` and `routes` is a new stack and a swap.",
			},
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Whether the slot refuses to be destroyed; defaults to `true` in a production environment and to `false` in a sandbox, and changes in place.",
			},
			"drift": driftAttribute(),
			"environment_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Id of the environment; a change replaces the slot, and is refused while it serves.",
			},
			"fallback": schema.SingleNestedAttribute{
				Computed: true, Attributes: fallbackAttributes(),
				MarkdownDescription: "The stack that served before and is kept warm, if there is one: going back to its release is one switch.",
			},
			"last_swap": schema.SingleNestedAttribute{
				Computed: true, Attributes: swapAttributes(),
				MarkdownDescription: "The swap that is under way or was the last one.",
			},
			"live": schema.SingleNestedAttribute{
				Computed: true, Attributes: stackAttributes(),
				MarkdownDescription: "The stack that carries the traffic, if there is one.",
			},
			"migrate": schema.SingleNestedAttribute{
				Optional: true, Attributes: taskAttributes(),
				MarkdownDescription: "Program that prepares the account databases for a release; it runs once for each new stack before that starts, and must leave the databases usable for the release before. Defaults to none, and a change alone starts no swap.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the slot in its environment, of at most 40 characters `a-z`, `0-9` and `-`; a change replaces the slot, and is refused while it serves.",
			},
			"phase":       computedString("Where the current or last swap is: `preparing`, `migrating`, `starting`, `verifying`, `testing`, `awaiting_approval`, `switching`, `watching`, `live`, `degraded`, `aborting`, `failed`, `rolling_back` or `rolled_back`."),
			"preview_url": computedString("URL under which a candidate can be reached before it is live, known at plan."),
			"release": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Release that is to serve, such as `2026.11.3`; it replaces `{release}` in `image`, `command` and the values of `environment`. A change starts a swap.",
			},
			"retry": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(0),
				MarkdownDescription: "Counter to raise to try a release again that was rolled back, also where its components have been changed since; defaults to 0.",
			},
			"swap": schema.SingleNestedAttribute{
				Optional: true, Computed: true,
				Default:             objectdefault.StaticValue(fromPolicy(defaultPolicy())),
				Attributes:          policyAttributes(),
				MarkdownDescription: "How the slot swaps its releases; a change alone starts no swap.",
			},
			"tags": tagsAttribute("slot"),
			"test_suite": schema.SingleNestedAttribute{
				Optional: true, Attributes: testSuiteAttributes(),
				MarkdownDescription: "Program that must end with exit code 0 before a release takes the traffic; it reaches the candidate through the preview entrance. Required unless `allow_untested` is set; a change alone starts no swap.",
			},
			"timeouts": timeoutsAttribute(ctx, l),
			"url":      computedString("URL of the slot's environment, known at plan."),
		}),
	}
}

func stackAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"color":   computedString("Seat that the stack sits in: `blue` or `green`."),
		"release": computedString("Release that the stack runs."),
	}
}

func candidateAttributes() map[string]schema.Attribute {
	a := stackAttributes()
	a["retire_at"] = computedString("When the stack is removed unless it is approved before, in RFC 3339 and UTC; null if it does not wait for approval.")
	a["traffic_percent"] = schema.Int64Attribute{Computed: true, MarkdownDescription: "Share of the requests that the stack gets already, in percent."}
	return a
}

func fallbackAttributes() map[string]schema.Attribute {
	a := stackAttributes()
	a["retire_at"] = computedString("When the stack is removed, in RFC 3339 and UTC; null if it stays until the next release.")
	return a
}

func swapAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"approved_at":  computedString("When the release was approved, in RFC 3339 and UTC; null if nobody has approved it."),
		"approved_by":  computedString("Who approved the release; null if nobody has."),
		"by":           computedString("Who asked for the swap: the owner of the configuration, or an operator."),
		"ended_at":     computedString("When the swap ended, in RFC 3339 and UTC."),
		"from_release": computedString("Release that served when the swap began."),
		"id":           computedString("Identifier of the swap in the slot's history."),
		"reason":       computedString("Why the swap failed or was rolled back."),
		"release":      computedString("Release that the swap is or was to make live."),
		"started_at":   computedString("When the swap began, in RFC 3339 and UTC."),
		"switched_at":  computedString("When the release began to take traffic, in RFC 3339 and UTC."),
	}
}
