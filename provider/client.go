package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// client is what one configured provider gives its resources. Without a driver the provider
// block is not fully known yet: what needs the target waits for the apply.
type client struct {
	*provision.Provisioner
	driver   target.Driver
	settings Settings
	clock    wait.Clock
	// portTaken says whether a process of this machine listens on a port.
	portTaken func(ctx context.Context, address string, port int) bool
	// register holds what the plan under way has planned.
	register *register
}

func (c *client) use(driver target.Driver, s Settings) {
	c.driver, c.settings = driver, s
	c.Provisioner = provision.New(driver, s.Owner, provision.Options{Clock: c.clock})
}

// ReadRegion, and what else reads or lists, are the looks of refreshes and plans, which are at many
// objects at once. Who acts on an object looks at it anew.
func (c *client) ReadRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	return c.Provisioner.ReadRegion(target.AllowRecent(ctx), id)
}

// ReadEnvironment see ReadRegion.
func (c *client) ReadEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	return c.Provisioner.ReadEnvironment(target.AllowRecent(ctx), id)
}

// ReadSlot see ReadRegion.
func (c *client) ReadSlot(ctx context.Context, id target.SlotID) (provision.SlotState, error) {
	return c.Provisioner.ReadSlot(target.AllowRecent(ctx), id)
}

// ReadAccountDatabase see ReadRegion.
func (c *client) ReadAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	return c.Provisioner.ReadAccountDatabase(target.AllowRecent(ctx), id)
}

// ListEnvironments see ReadRegion.
func (c *client) ListEnvironments(ctx context.Context) ([]target.EnvironmentRecord, error) {
	return c.Provisioner.ListEnvironments(target.AllowRecent(ctx))
}

// ListSlots see ReadRegion.
func (c *client) ListSlots(ctx context.Context, id target.EnvironmentID) ([]target.SlotRecord, error) {
	return c.Provisioner.ListSlots(target.AllowRecent(ctx), id)
}

// installation is the id of the target's installation, see ReadRegion.
func (c *client) installation(ctx context.Context) (string, error) {
	return c.driver.Installation(target.AllowRecent(ctx))
}

// ready says whether the target can be asked.
func (c *client) ready() bool { return c != nil && c.driver != nil }

// tagFaults are those of tags beside the provider's, see [target.Tagging].
func (c *client) tagFaults(tags map[string]string, roles bool) target.Faults {
	if !c.ready() {
		return nil
	}
	if t, ok := c.driver.(target.Tagging); ok {
		return t.TagFaults(tags, roles)
	}
	return nil
}

// configured is the part of every resource and action that gets the client.
type configured struct{ client *client }

// Configure is called before every verb, without a client while Terraform only validates.
func (r *configured) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.take(req.ProviderData, &resp.Diagnostics)
}

func (r *configured) take(data any, diags *diag.Diagnostics) {
	if data == nil {
		return
	}
	c, ok := data.(*client)
	if !ok {
		diags.AddError("Unable to configure the resource", fmt.Sprintf("Expected the provider's client, got %T.", data))
		return
	}
	r.client = c
}

// available refuses what can't wait for the apply while there is no target.
func (r *configured) available(n noun, verb string, diags *diag.Diagnostics) bool {
	if !r.client.ready() {
		diags.AddError(n.summary(verb), "The configuration of the provider is not fully known yet. Apply what it depends on first, such as with -target.")
	}
	return !diags.HasError()
}

// found turns the answer of a look at the target into "known or not". An object that is not
// there may be made by this very apply, so its absence proves nothing.
func found[T any](v T, err error) (T, bool, error) {
	switch {
	case err == nil:
		return v, true, nil
	case errors.Is(err, target.ErrNotFound), errors.Is(err, target.ErrNoInstallation):
		return v, false, nil
	}
	return v, false, err
}

// lookRegion returns a region as this plan leaves it, else as the target has it.
func (c *client) lookRegion(ctx context.Context, id string) (target.Region, bool, error) {
	if r, state := c.register.regions.get(id); state != unseen {
		return r, state == planned, nil
	}
	if !c.ready() {
		return target.Region{}, false, nil
	}
	rec, ok, err := found(c.ReadRegion(ctx, id))
	return rec.Spec, ok, err
}

// lookEnvironment returns an environment as this plan leaves it, else as the target has it.
func (c *client) lookEnvironment(ctx context.Context, id target.EnvironmentID) (target.Environment, bool, error) {
	if e, state := c.register.environments.get(id); state != unseen {
		return e, state == planned, nil
	}
	if !c.ready() {
		return target.Environment{}, false, nil
	}
	rec, ok, err := found(c.ReadEnvironment(ctx, id))
	return rec.Spec, ok, err
}

// otherEnvironments returns the environments beside id: those that this plan plans, and
// those that the target holds for other owners. Those of this owner or state that the plan
// has not reached yet are left to the moment when it does: they may be on their way out.
func (c *client) otherEnvironments(ctx context.Context, id target.EnvironmentID) ([]target.Environment, error) {
	others := c.register.environments.others(id)
	if !c.ready() {
		return others, nil
	}
	all, _, err := found(c.ListEnvironments(ctx))
	for _, rec := range all {
		if rec.Meta.Owner != c.settings.Owner && !c.register.environments.holds(rec.Spec.ID()) {
			others = append(others, rec.Spec)
		}
	}
	return others, err
}

// otherSlots returns the slots of the same environment beside id, by the rule of
// otherEnvironments.
func (c *client) otherSlots(ctx context.Context, id target.SlotID) ([]target.Slot, error) {
	others := c.register.slots.others(id)
	if !c.ready() {
		return others, nil
	}
	all, _, err := found(c.ListSlots(ctx, id.Environment))
	for _, rec := range all {
		if rec.Meta.Owner != c.settings.Owner && !c.register.slots.holds(rec.Asked.ID()) {
			others = append(others, rec.Asked)
		}
	}
	return others, err
}

// releases returns what each slot of an environment serves, by the slot's name.
func (c *client) releases(ctx context.Context, id target.EnvironmentID) (map[string]string, error) {
	slots, _, err := found(c.ListSlots(ctx, id))
	if err != nil {
		return nil, err
	}
	serving := map[string]string{}
	for _, rec := range slots {
		s, ok, err := found(c.ReadSlot(ctx, rec.Asked.ID()))
		if err != nil {
			return nil, err
		}
		if stack, serves := s.Serving(); ok && serves {
			serving[rec.Asked.Name] = stack.Spec.Definition.Release
		}
	}
	return serving, nil
}
