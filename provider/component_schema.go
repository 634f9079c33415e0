package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func componentAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"command": commandAttribute("Program to run with its arguments, for the `local` target: an absolute path, or a name in `/usr/local/bin`, `/usr/bin` or `/bin`; `{release}` in it is replaced by the release. A change is a new stack."),
		"cpu": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{atLeastOne{}},
			MarkdownDescription: "CPU of an instance in units of 1/1024 vCPU, for the `aws` target; defaults to the target's own size, and a change is a new stack.",
		},
		"environment": stringMapAttribute("Environment variables with plain values, in which `{release}` is replaced; nothing is inherited. Defaults to none, and a change is a new stack."),
		"health_check": schema.SingleNestedAttribute{
			Optional: true, Attributes: healthCheckAttributes(),
			MarkdownDescription: "HTTP request that tells whether an instance is well, by an answer of 200 to 299; required for a component with routes, and a change is a new stack.",
		},
		"image": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty{}},
			MarkdownDescription: "Container image to run, for the `aws` target only; `{release}` in it is replaced by the release.",
		},
		"memory_mib": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{atLeastOne{}},
			MarkdownDescription: "Memory of an instance in MiB, for the `aws` target; defaults to the target's own size, and a change is a new stack.",
		},
		"port": schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{notZero{}},
			MarkdownDescription: "TCP port that the container listens on, for the `aws` target; on the `local` target an instance learns its port from the variable `PORT`. A change is a new stack.",
		},
		"routes": nestedListAttribute("Requests that lead to the component: it takes those of the longest matching `path_prefix`. Defaults to none, which makes it a worker; a change happens in place.", routeAttributes()),
		"scaling": schema.SingleNestedAttribute{
			Optional: true, Computed: true, Attributes: scalingAttributes(),
			Default:             objectdefault.StaticValue(types.ObjectValueMust(scalingType().AttrTypes, map[string]attr.Value{"max": types.Int64Value(1), "min": types.Int64Value(1)})),
			MarkdownDescription: "How many instances run; it changes in place.",
		},
		"secrets": stringMapAttribute("Environment variables with secret values: each names the file of mode 0600 by its absolute path (`local`) or the secret's ARN (`aws`) that holds the value, never the value. Defaults to none, and a change is a new stack."),
	}
}

func componentType() types.ObjectType { return nestedType(componentAttributes()) }

func commandAttribute(description string) schema.Attribute {
	return schema.ListAttribute{
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          []validator.List{notEmpty{}, noNulls{}},
		MarkdownDescription: description,
	}
}

func healthCheckAttributes() map[string]schema.Attribute {
	d := defaultHealthCheck()
	count := func(value int, description string) schema.Attribute {
		return schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(value)),
			MarkdownDescription: description,
		}
	}
	return map[string]schema.Attribute{
		"healthy_threshold":   count(d.HealthyThreshold, "How many checks in a row must pass before an instance counts as healthy; defaults to 3."),
		"interval_seconds":    count(d.IntervalSeconds, "Time between two checks of an instance in seconds; defaults to 2."),
		"path":                schema.StringAttribute{Required: true, MarkdownDescription: "Path of the request, such as `/healthz`."},
		"timeout_seconds":     count(d.TimeoutSeconds, "How long an answer may take in seconds; defaults to 2."),
		"unhealthy_threshold": count(d.UnhealthyThreshold, "How many checks in a row must fail before an instance gets no more requests; defaults to 3."),
	}
}

func healthCheckType() types.ObjectType { return nestedType(healthCheckAttributes()) }

func routeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"host": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty{}},
			MarkdownDescription: "One label under the environment's domain name such as `console`, or `*` for any one label; defaults to every name.",
		},
		"path_prefix": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString("/"),
			MarkdownDescription: "Beginning of the path, in whole segments: `/api` matches `/api` and `/api/orders`; defaults to `/`.",
		},
	}
}

func routeType() types.ObjectType { return nestedType(routeAttributes()) }

func scalingAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"max": schema.Int64Attribute{
			Optional: true, Computed: true, PlanModifiers: []planmodifier.Int64{sameAsMin{}},
			MarkdownDescription: "The most instances that run; defaults to `min`.",
		},
		"min": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(1),
			MarkdownDescription: "The fewest instances that run; defaults to 1.",
		},
	}
}

func scalingType() types.ObjectType { return nestedType(scalingAttributes()) }

// sameAsMin makes max what min is where the configuration has no max.
type sameAsMin struct{}

func (sameAsMin) Description(context.Context) string         { return "defaults to min" }
func (sameAsMin) MarkdownDescription(context.Context) string { return "defaults to `min`" }

func (sameAsMin) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if req.ConfigValue.IsNull() {
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, req.Path.ParentPath().AtName("min"), &resp.PlanValue)...)
	}
}

const defaultTaskSeconds = 600

func taskAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"command":     commandAttribute("Program to run with its arguments, for the `local` target: an absolute path, or a name in `/usr/local/bin`, `/usr/bin` or `/bin`; `{release}` in it is replaced by the release."),
		"environment": stringMapAttribute("Environment variables with plain values, in which `{release}` is replaced; nothing is inherited. Defaults to none."),
		"image": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty{}},
			MarkdownDescription: "Container image to run, for the `aws` target only; `{release}` in it is replaced by the release.",
		},
		"secrets": stringMapAttribute("Environment variables with secret values: each names the file of mode 0600 by its absolute path (`local`) or the secret's ARN (`aws`) that holds the value, never the value. Defaults to none."),
		"timeout_seconds": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(defaultTaskSeconds),
			MarkdownDescription: "How long the program may run in seconds before it is killed and has failed; defaults to 600.",
		},
	}
}

func taskType() types.ObjectType { return nestedType(taskAttributes()) }

func testSuiteAttributes() map[string]schema.Attribute {
	a := taskAttributes()
	a["account"] = schema.StringAttribute{
		Optional: true, Validators: []validator.String{notEmpty{}},
		MarkdownDescription: "Account whose database the suite may use; defaults to none.",
	}
	return a
}

func testSuiteType() types.ObjectType { return nestedType(testSuiteAttributes()) }
