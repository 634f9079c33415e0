package provider_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// lab speaks Terraform's protocol with the provider in process: for what Terraform does not
// show (warnings, identity, private state) and for what would take it too long.
type lab struct {
	t      *testing.T
	server tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
	config map[string]any
}

// object is a resource as Terraform holds it.
type object struct {
	kind     string
	state    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

func (o object) id() string { return at(o.state, "id").(string) }

// plan is a planned change of an object.
type plan struct {
	object
	config  tftypes.Value
	planned tftypes.Value
	replace []string
	diags   diagnostics
}

// lab makes a configured provider, with one walk over a configuration begun.
func (w *world) lab(config map[string]any, options ...provider.Option) *lab {
	w.t.Helper()
	server, err := w.serve(w.owner, options...)["slipway"]()
	if err != nil {
		w.t.Fatal(err)
	}
	schema, err := server.GetProviderSchema(w.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	l := &lab{w.t, server, schema, config}
	if d := l.configure(); len(d) > 0 {
		w.t.Fatalf("configure: %s", d)
	}
	return l
}

// configure begins another walk, as Terraform does for every plan and every apply.
func (l *lab) configure() diagnostics {
	l.t.Helper()
	v := build(l.schema.Provider.ValueType(), l.config)
	resp, err := l.server.ConfigureProvider(l.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: l.encode(v)})
	l.ok(err)
	return resp.Diagnostics
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) kind(kind string) *tfprotov6.Schema {
	l.t.Helper()
	s, ok := l.schema.ResourceSchemas["slipway_"+kind]
	if !ok {
		l.t.Fatalf("there is no resource %q", kind)
	}
	return s
}

func (l *lab) nothing(kind string) object {
	return object{kind: kind, state: tftypes.NewValue(l.kind(kind).ValueType(), nil)}
}

// validate is the first thing Terraform does with a configuration.
func (l *lab) validate(kind string, config map[string]any) diagnostics {
	l.t.Helper()
	resp, err := l.server.ValidateResourceConfig(l.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: "slipway_" + kind, Config: l.encode(build(l.kind(kind).ValueType(), config)),
	})
	l.ok(err)
	return resp.Diagnostics
}

// plan plans a change of o to the configuration; nil destroys it.
func (l *lab) plan(o object, config map[string]any) plan {
	l.t.Helper()
	typ := l.kind(o.kind).ValueType()
	c := tftypes.NewValue(typ, nil)
	proposed := c
	if config != nil {
		c = build(typ, config)
		if d := l.validate(o.kind, config); d.errors() {
			return plan{object: o, config: c, diags: d}
		}
		proposed = propose(l.kind(o.kind).Block.Attributes, typ, o.state, c)
	}
	resp, err := l.server.PlanResourceChange(l.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: "slipway_" + o.kind, PriorState: l.encode(o.state), ProposedNewState: l.encode(proposed),
		Config: l.encode(c), PriorPrivate: o.private, PriorIdentity: o.identity,
	})
	l.ok(err)
	p := plan{object: o, config: c, diags: resp.Diagnostics}
	if resp.PlannedState != nil {
		p.planned = l.decode(resp.PlannedState, typ)
	}
	p.private = resp.PlannedPrivate
	for _, r := range resp.RequiresReplace {
		p.replace = append(p.replace, r.String())
	}
	return p
}

// apply carries out a plan and returns the object, and what was said.
func (l *lab) apply(p plan) (object, diagnostics) { return l.applyWith(l.t.Context(), p) }

func (l *lab) applyWith(ctx context.Context, p plan) (object, diagnostics) {
	l.t.Helper()
	if p.diags.errors() {
		l.t.Fatalf("plan: %s", p.diags)
	}
	resp, err := l.server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "slipway_" + p.kind, PriorState: l.encode(p.state), PlannedState: l.encode(p.planned),
		Config: l.encode(p.config), PlannedPrivate: p.private, PlannedIdentity: p.identity,
	})
	l.ok(err)
	o := object{kind: p.kind, state: l.decode(resp.NewState, l.kind(p.kind).ValueType()), private: resp.Private, identity: resp.NewIdentity}
	if d := diagnostics(resp.Diagnostics); !d.errors() && !p.planned.IsNull() {
		l.consistent(p, o)
	}
	return o, resp.Diagnostics
}

// consistent is what Terraform demands: what was planned as known is so after the apply.
func (l *lab) consistent(p plan, o object) {
	l.t.Helper()
	diffs, err := p.planned.Diff(o.state)
	l.ok(err)
	for _, d := range diffs {
		if d.Value1 != nil && d.Value1.IsFullyKnown() {
			l.t.Errorf("the apply changed a planned value: %s", d)
		}
	}
}

// made plans and applies in a walk of their own, and fails the test if anything is said.
func (l *lab) made(kind string, config map[string]any) object {
	l.t.Helper()
	return l.changed(l.nothing(kind), config)
}

// changed is made for what exists.
func (l *lab) changed(o object, config map[string]any) object {
	l.t.Helper()
	l.configure()
	o, d := l.apply(l.plan(o, config))
	if len(d) > 0 {
		l.t.Fatalf("change %s: %s", o.kind, d)
	}
	l.configure()
	return o
}

// read refreshes an object.
func (l *lab) read(o object) (object, diagnostics) {
	l.t.Helper()
	resp, err := l.server.ReadResource(l.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: "slipway_" + o.kind, CurrentState: l.encode(o.state), Private: o.private, CurrentIdentity: o.identity,
	})
	l.ok(err)
	out := object{kind: o.kind, private: resp.Private, identity: resp.NewIdentity, state: o.state}
	if resp.NewState != nil {
		out.state = l.decode(resp.NewState, l.kind(o.kind).ValueType())
	}
	return out, resp.Diagnostics
}

// imported imports by id or, where id is empty, by identity, and reads.
func (l *lab) imported(kind, id string, identity map[string]any) (object, diagnostics) {
	l.t.Helper()
	req := &tfprotov6.ImportResourceStateRequest{TypeName: "slipway_" + kind, ID: id}
	if identity != nil {
		v := build(identityType, identity)
		req.Identity = &tfprotov6.ResourceIdentityData{IdentityData: l.encode(v)}
	}
	resp, err := l.server.ImportResourceState(l.t.Context(), req)
	l.ok(err)
	if d := diagnostics(resp.Diagnostics); d.errors() {
		return object{}, d
	}
	i := resp.ImportedResources[0]
	o := object{kind: kind, state: l.decode(i.State, l.kind(kind).ValueType()), private: i.Private, identity: i.Identity}
	return l.read(o)
}

func (l *lab) encode(v tftypes.Value) *tfprotov6.DynamicValue {
	l.t.Helper()
	d, err := tfprotov6.NewDynamicValue(v.Type(), v)
	l.ok(err)
	return &d
}

func (l *lab) decode(d *tfprotov6.DynamicValue, t tftypes.Type) tftypes.Value {
	l.t.Helper()
	v, err := d.Unmarshal(t)
	l.ok(err)
	return v
}

// diagnostics are what the provider said.
type diagnostics []*tfprotov6.Diagnostic

func (d diagnostics) errors() bool {
	return slices.ContainsFunc(d, func(x *tfprotov6.Diagnostic) bool { return x.Severity == tfprotov6.DiagnosticSeverityError })
}

func (d diagnostics) String() string {
	var lines []string
	for _, x := range d {
		at := ""
		if x.Attribute != nil {
			at = " at " + x.Attribute.String()
		}
		lines = append(lines, fmt.Sprintf("%s%s: %s: %s", x.Severity, at, x.Summary, x.Detail))
	}
	return strings.Join(lines, "\n")
}
