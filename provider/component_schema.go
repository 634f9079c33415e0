package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func componentAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"command": commandAttribute("Program to run with its arguments: on the `local` target an absolute path, or a name in `/usr/local/bin`, `/usr/bin` or `/bin`; on `aws` what replaces the command of the image, which runs as it is without; `{release}` in it is replaced by the release. A change is a new stack."),
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
			Optional: true, Validators: []validator.Int64{notZero{65535}},
			MarkdownDescription: "TCP port that the container listens on, for the `aws` target; on the `local` target an instance learns its port from the variable `PORT`. A change is a new stack.",
		},
		"routes": nestedListAttribute("Requests that lead to the component: it takes those of the longest matching `path_prefix`. Defaults to none, which makes it a worker; a change happens in place, but on `aws` the first routes of a component, or the end of its last, are a new stack.", routeAttributes()),
		"scaling": schema.SingleNestedAttribute{
			Optional: true, Computed: true, Attributes: scalingAttributes(),
			Default:             objectdefault.StaticValue(fromScaling(target.Scaling{Min: 1, Max: 1})),
			MarkdownDescription: "How many instances run. Between its bounds the number follows the load by itself, up within seconds and down slowly, and is no change; the bounds change in place.",
		},
		"secrets":              stringMapAttribute("Environment variables with secret values: each names the file of mode 0600 by its absolute path (`local`) or the secret's ARN (`aws`) that holds the value, never the value. Defaults to none, and a change is a new stack."),
		"stop_timeout_seconds": defaultNumber(defaultStopSeconds, "How long an instance may take to end after it was asked to, in seconds, before it is killed: the time in which a worker finishes its jobs. From 1 to 3600, on `aws` from 2 to 120. A change is a new stack.", notZero{3600}),
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

const defaultTaskSeconds = 600

func taskAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"command":     commandAttribute("Program to run with its arguments: on the `local` target an absolute path, or a name in `/usr/local/bin`, `/usr/bin` or `/bin`; on `aws` what replaces the command of the image, which runs as it is without; `{release}` in it is replaced by the release."),
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
