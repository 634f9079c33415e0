package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// refuseOther refuses what the target of the provider does not have. One configuration can serve
// several targets: what only one of them has is null for the others.
func (r *environmentResource) refuseOther(on string, config environmentModel, e target.Environment, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	switch on {
	case targetLocal:
		if !config.AWS.IsNull() {
			resp.Diagnostics.AddAttributeError(path.Root("aws"), "Invalid "+r.words, "aws: this is for the aws target, and the provider's target is \"local\": remove it, or set it to null where target is \"local\".")
		}
	case targetAWS:
		if config.DomainName.IsNull() && r.client.settings.AWSDomainName == "" {
			resp.Diagnostics.AddAttributeError(path.Root("domain_name"), "Invalid "+r.words, "domain_name: on the aws target an environment needs a name in a hosted zone of Route 53. Set it, or set aws.domain_name of the provider, under which every environment gets a name of its own.")
			return
		}
		r.refuse(&resp.Diagnostics, req.Config.Raw, e.Validate())
	}
}

// otherNetwork is what an environment on aws can't change where it is: its network, and the kind of
// its load balancer.
func (r *environmentResource) otherNetwork(ctx context.Context, state, plan environmentModel, resp *resource.ModifyPlanResponse) path.Paths {
	if state.on() != targetAWS || plan.on() != targetAWS {
		return nil
	}
	was, is := nested[environmentAWSModel](ctx, state.AWS, &resp.Diagnostics), nested[environmentAWSModel](ctx, plan.AWS, &resp.Diagnostics)
	if was == nil || is == nil {
		return nil
	}
	block := was.VPCBlock
	if id, err := target.ParseEnvironmentID(state.ID.ValueString()); err == nil && block.IsNull() && was.VPC.IsNull() { // a state of before a block could be chosen
		block = types.StringValue(id.DefaultVPCBlock())
	}
	var moved path.Paths
	changed := func(name string, was, is attr.Value) bool {
		differs := !is.Equal(was)
		if differs {
			moved = append(moved, path.Root("aws").AtName(name))
		}
		return differs
	}
	changed("internal", was.Internal, is.Internal)
	if !changed("vpc", was.VPC, is.VPC) { // which comes with a block and zones of its own
		changed("vpc_cidr_block", block, is.VPCBlock)
		changed("zones", was.Zones, is.Zones)
	}
	return moved
}

// refuseUpgrade refuses another major version of the database engine, which does not come by
// itself: it has to be tried out, and stops the cluster.
func (r *environmentResource) refuseUpgrade(ctx context.Context, state, plan environmentModel, resp *resource.ModifyPlanResponse) {
	if state.on() != targetAWS || !fullyKnown(ctx, plan.AWS) {
		return
	}
	was := state.onAWS(ctx, state.Kind.ValueString(), &resp.Diagnostics).Database.EngineVersion
	is := plan.onAWS(ctx, plan.Kind.ValueString(), &resp.Diagnostics).Database.EngineVersion
	from, _, _ := strings.Cut(was, ".")
	to, _, _ := strings.Cut(is, ".")
	if from != to {
		at := path.Root("aws").AtName("database").AtName("engine_version")
		resp.Diagnostics.AddAttributeError(at, r.summary("plan"), fmt.Sprintf("%s: the cluster of environment %q has version %s, and %s is another major version, which is not moved to while the environment stands. Set it back, or make another environment.", at, state.ID.ValueString(), was, is))
	}
}

// checkSite asks a target that looks at what an environment needs and somebody else looks after.
// What stands and does not change is not asked for again.
func (r *environmentResource) checkSite(ctx context.Context, e target.Environment, plan environmentModel, before *target.Environment, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() || resp.Diagnostics.HasError() || !fullyKnown(ctx, plan.AWS) || !given(plan.DomainName) || before != nil && target.Same(*before, e) {
		return
	}
	at, ok := r.client.driver.(target.Sites)
	if !ok {
		return
	}
	region, found, err := r.client.lookRegion(ctx, e.Region)
	if err != nil || !found {
		return // said where the region is looked up, or the region is not known yet
	}
	faults, err := at.CheckEnvironment(ctx, e, region)
	if err != nil {
		r.report(ctx, &resp.Diagnostics, "plan", e.ID().String(), err)
	}
	r.refuse(&resp.Diagnostics, req.Config.Raw, faults)
}
