package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type componentModel struct {
	Command            types.List   `tfsdk:"command"`
	CPU                types.Int64  `tfsdk:"cpu"`
	Environment        types.Map    `tfsdk:"environment"`
	HealthCheck        types.Object `tfsdk:"health_check"`
	Image              types.String `tfsdk:"image"`
	MemoryMiB          types.Int64  `tfsdk:"memory_mib"`
	Port               types.Int64  `tfsdk:"port"`
	Routes             types.List   `tfsdk:"routes"`
	Scaling            types.Object `tfsdk:"scaling"`
	Secrets            types.Map    `tfsdk:"secrets"`
	StopTimeoutSeconds types.Int64  `tfsdk:"stop_timeout_seconds"`
}

type healthCheckModel struct {
	HealthyThreshold   types.Int64  `tfsdk:"healthy_threshold"`
	IntervalSeconds    types.Int64  `tfsdk:"interval_seconds"`
	Path               types.String `tfsdk:"path"`
	TimeoutSeconds     types.Int64  `tfsdk:"timeout_seconds"`
	UnhealthyThreshold types.Int64  `tfsdk:"unhealthy_threshold"`
}

type routeModel struct {
	Host       types.String `tfsdk:"host"`
	PathPrefix types.String `tfsdk:"path_prefix"`
}

// defaultHealthCheck is how an instance is checked where only the path is said.
func defaultHealthCheck() target.HealthCheck {
	return target.HealthCheck{Path: "/", IntervalSeconds: 2, TimeoutSeconds: 2, HealthyThreshold: 3, UnhealthyThreshold: 3}
}

const defaultStopSeconds = int(target.DefaultStopTimeout / time.Second)

// harmless is a component that no check finds fault with.
func harmless() target.Component {
	h := defaultHealthCheck()
	return target.Component{Command: []string{placeholder}, Scaling: target.Scaling{Min: 1, Max: 1}, HealthCheck: &h}
}

// toComponents converts the components of a slot; see values.go for what is not known.
func toComponents(ctx context.Context, slot string, v types.Map, diags *diag.Diagnostics) map[string]target.Component {
	if !given(v) {
		return map[string]target.Component{placeholder: harmless()}
	}
	if len(v.Elements()) == 0 {
		return nil
	}
	var elements map[string]types.Object
	diags.Append(v.ElementsAs(ctx, &elements, false)...)
	components := make(map[string]target.Component, len(elements))
	for name, e := range elements {
		m := nested[componentModel](ctx, e, diags)
		switch {
		case m != nil:
			components[name] = m.toDomain(ctx, slot+"/"+name, diags)
		default:
			components[name] = harmless()
		}
	}
	return components
}

func (m componentModel) toDomain(ctx context.Context, place string, diags *diag.Diagnostics) target.Component {
	c := target.Component{
		Image:       text(m.Image, ""),
		Command:     stringList(m.Command.Elements()),
		Port:        number(m.Port, 0, 0),
		CPU:         number(m.CPU, 0, 0),
		MemoryMiB:   number(m.MemoryMiB, 0, 0),
		Environment: stringMap(ctx, m.Environment, diags),
		Secrets:     stringMap(ctx, m.Secrets, diags),
		Scaling:     toScaling(ctx, m.Scaling, diags),
		HealthCheck: toHealthCheck(ctx, m.HealthCheck, diags),
		Routes:      toRoutes(ctx, place, m.Routes, diags),
	}
	if m.Routes.IsUnknown() {
		c.Scaling.TargetConcurrentRequests = 0 // which a component without routes can't have
	}
	// The default is left out, so that saying it and not saying it make the same stack.
	if n := number(m.StopTimeoutSeconds, defaultStopSeconds, defaultStopSeconds); n != defaultStopSeconds {
		c.StopTimeoutSeconds = n
	}
	if len(c.Command) == 0 && (!m.Command.IsNull() || m.Image.IsUnknown()) {
		c.Command = []string{placeholder}
	}
	return c
}

func toHealthCheck(ctx context.Context, v types.Object, diags *diag.Diagnostics) *target.HealthCheck {
	h := defaultHealthCheck()
	m := nested[healthCheckModel](ctx, v, diags)
	switch {
	case v.IsUnknown():
		return &h
	case m == nil:
		return nil
	}
	h.Path = text(m.Path, h.Path)
	h.IntervalSeconds = number(m.IntervalSeconds, h.IntervalSeconds, 1) // the start must be long enough for all checks
	h.TimeoutSeconds = number(m.TimeoutSeconds, h.TimeoutSeconds, h.TimeoutSeconds)
	h.HealthyThreshold = number(m.HealthyThreshold, h.HealthyThreshold, 1)
	h.UnhealthyThreshold = number(m.UnhealthyThreshold, h.UnhealthyThreshold, h.UnhealthyThreshold)
	return &h
}

// toRoutes gives each route that is not known a path that none of another place has.
func toRoutes(ctx context.Context, place string, v types.List, diags *diag.Diagnostics) []target.Route {
	if !given(v) || len(v.Elements()) == 0 {
		return nil
	}
	var elements []types.Object
	diags.Append(v.ElementsAs(ctx, &elements, false)...)
	var routes []target.Route
	for i, e := range elements {
		r := target.Route{PathPrefix: fmt.Sprintf("/%s/%s/%d", placeholder, place, i)}
		if m := nested[routeModel](ctx, e, diags); m != nil && !m.Host.IsUnknown() && !m.PathPrefix.IsUnknown() {
			r = target.Route{Host: m.Host.ValueString(), PathPrefix: "/"}
			if !m.PathPrefix.IsNull() {
				r.PathPrefix = m.PathPrefix.ValueString()
			}
		}
		routes = append(routes, r)
	}
	return routes
}

func fromComponents(ctx context.Context, components map[string]target.Component, diags *diag.Diagnostics) types.Map {
	models := make(map[string]componentModel, len(components))
	for name, c := range components {
		models[name] = fromComponent(ctx, c, diags)
	}
	out, d := types.MapValueFrom(ctx, componentType(), models)
	diags.Append(d...)
	return out
}

func fromComponent(ctx context.Context, c target.Component, diags *diag.Diagnostics) componentModel {
	routes := make([]routeModel, 0, len(c.Routes))
	for _, r := range c.Routes {
		routes = append(routes, routeModel{toText(r.Host), types.StringValue(r.PathPrefix)})
	}
	list, d := types.ListValueFrom(ctx, routeType(), routes)
	diags.Append(d...)
	m := componentModel{
		Command:            toCommand(c.Command),
		CPU:                toNumber(c.CPU),
		Environment:        toMap(c.Environment),
		HealthCheck:        types.ObjectNull(healthCheckType().AttrTypes),
		Image:              toText(c.Image),
		MemoryMiB:          toNumber(c.MemoryMiB),
		Port:               toNumber(c.Port),
		Routes:             list,
		Scaling:            fromScaling(c.Scaling),
		Secrets:            toMap(c.Secrets),
		StopTimeoutSeconds: types.Int64Value(int64(c.StopTimeout().Seconds())),
	}
	if h := c.HealthCheck; h != nil {
		m.HealthCheck = toObject(ctx, healthCheckType(), &healthCheckModel{
			HealthyThreshold:   types.Int64Value(int64(h.HealthyThreshold)),
			IntervalSeconds:    types.Int64Value(int64(h.IntervalSeconds)),
			Path:               types.StringValue(h.Path),
			TimeoutSeconds:     types.Int64Value(int64(h.TimeoutSeconds)),
			UnhealthyThreshold: types.Int64Value(int64(h.UnhealthyThreshold)),
		}, diags)
	}
	return m
}

// toCommand encodes a command; an empty one is null.
func toCommand(words []string) types.List {
	if len(words) == 0 {
		return types.ListNull(types.StringType)
	}
	return types.ListValueMust(types.StringType, toElements(words))
}
