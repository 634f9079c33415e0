//go:build linux

package acceptance

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// invoke invokes an action of the provider on the machine's agent, as Terraform 1.14 and
// later do; earlier ones have no actions.
func (m *machine) invoke(action string, config map[string]string) error {
	m.Helper()
	open := provider.WithDriver(func(provider.Settings) (target.Driver, error) { return m.target(), nil })
	server, err := providerserver.NewProtocol6WithError(provider.New("dev", open)())()
	m.ok(err)
	actions, ok := server.(tfprotov6.ActionServer)
	if !ok {
		m.Fatal("the provider has no actions")
	}
	schema, err := server.GetProviderSchema(m.Context(), &tfprotov6.GetProviderSchemaRequest{})
	m.ok(err)
	configured, err := server.ConfigureProvider(m.Context(), &tfprotov6.ConfigureProviderRequest{Config: m.value(schema.Provider.ValueType(), nil)})
	m.ok(errors.Join(err, said(configured.Diagnostics)))
	invoked, err := actions.InvokeAction(m.Context(), &tfprotov6.InvokeActionRequest{
		ActionType: action, Config: m.value(schema.ActionSchemas[action].Schema.ValueType(), config),
	})
	m.ok(err)
	for e := range invoked.Events {
		if done, ok := e.Type.(tfprotov6.CompletedInvokeActionEventType); ok {
			err = said(done.Diagnostics)
		}
	}
	return err
}

// value is an object of a type with some texts set and everything else left out.
func (m *machine) value(t tftypes.Type, set map[string]string) *tfprotov6.DynamicValue {
	m.Helper()
	attributes := map[string]tftypes.Value{}
	for name, t := range t.(tftypes.Object).AttributeTypes {
		attributes[name] = tftypes.NewValue(t, nil)
		if text, ok := set[name]; ok {
			attributes[name] = tftypes.NewValue(t, text)
		}
	}
	v, err := tfprotov6.NewDynamicValue(t, tftypes.NewValue(t, attributes))
	m.ok(err)
	return &v
}

// said is what diagnostics say.
func said(all []*tfprotov6.Diagnostic) error {
	var errs []error
	for _, d := range all {
		errs = append(errs, fmt.Errorf("%s: %s", d.Summary, d.Detail))
	}
	return errors.Join(errs...)
}
