package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// defaults are what the definition of an environment has where nothing is said.
type defaults struct {
	// domainName is "" where a name has to be given.
	domainName     string
	network        target.Network
	maxConnections int // 0 where the target has no such limit
}

// defaultsOn are those of a target; domain is what names on aws are under, or "".
func defaultsOn(on string, id target.EnvironmentID, domain string) defaults {
	if on == targetAWS {
		d := defaults{network: target.Network{HTTPSPort: target.AWSHTTPSPort, PreviewPort: target.AWSPreviewPort}}
		if domain != "" {
			d.domainName = id.Name + "." + id.Region + "." + domain
		}
		return d
	}
	return defaults{
		domainName:     id.DefaultDomainName(),
		network:        target.Network{ListenAddress: defaultListenAddress, HTTPSPort: id.DefaultHTTPSPort(), PreviewPort: id.DefaultPreviewPort()},
		maxConnections: defaultMaxConnections,
	}
}

// on is the target that an environment in state or in a plan is on.
func (m environmentModel) on() string {
	if m.AWS.IsNull() {
		return targetLocal
	}
	return targetAWS
}

// fill replaces what the configuration leaves out by what follows from the rest of it on a
// target; "" is one that is not known yet. Domain is what names on aws are under, or "". Was is
// the environment as it stands, without values if it does not.
func (m *environmentModel) fill(ctx context.Context, config, was environmentModel, on, domain string, diags *diag.Diagnostics) {
	known := given(config.RegionID) && given(config.Name)
	id := target.EnvironmentID{Region: config.RegionID.ValueString(), Name: config.Name.ValueString()}
	if m.ID = types.StringUnknown(); known {
		m.ID = types.StringValue(id.String())
	}
	if config.DeletionProtection.IsNull() {
		if m.DeletionProtection = types.BoolUnknown(); given(config.Kind) {
			m.DeletionProtection = types.BoolValue(config.Kind.ValueString() == target.KindProduction)
		}
	}
	d := defaultsOn(on, id, domain)
	known = known && on != ""
	if config.DomainName.IsNull() {
		if m.DomainName = types.StringUnknown(); known {
			m.DomainName = toText(d.domainName)
		}
	}
	m.fillNetwork(ctx, config, known, on, d, diags)
	m.fillDatabase(ctx, config, on, d, diags)
	m.AWS = config.AWS
	switch {
	case on == targetAWS:
		m.fillAWS(ctx, config, was, diags)
	case on == "" && config.AWS.IsNull():
		m.AWS = types.ObjectUnknown(environmentAWSType().AttrTypes)
	}
	m.URL, m.PreviewURL = types.StringUnknown(), types.StringUnknown()
	if on != "" && given(m.DomainName) && fullyKnown(ctx, m.Network) {
		m.URL, m.PreviewURL = entrances(m.toDomain(ctx, on, diags))
	}
}

func (m *environmentModel) fillNetwork(ctx context.Context, config environmentModel, known bool, on string, d defaults, diags *diag.Diagnostics) {
	if config.Network.IsUnknown() {
		return
	}
	n := networkModel{types.Int64Null(), types.StringNull(), types.Int64Null()}
	if c := nested[networkModel](ctx, config.Network, diags); c != nil {
		n = *c
	}
	n.HTTPSPort = portOr(n.HTTPSPort, known, d.network.HTTPSPort)
	n.PreviewPort = portOr(n.PreviewPort, known, d.network.PreviewPort)
	if n.ListenAddress.IsNull() {
		if n.ListenAddress = types.StringUnknown(); on != "" {
			n.ListenAddress = toText(d.network.ListenAddress)
		}
	}
	m.Network = toObject(ctx, networkType(), &n, diags)
}

func (m *environmentModel) fillDatabase(ctx context.Context, config environmentModel, on string, d defaults, diags *diag.Diagnostics) {
	if config.Database.IsUnknown() {
		return
	}
	size := databaseSizeModel{}
	if c := nested[databaseSizeModel](ctx, config.Database, diags); c != nil {
		size = *c
	}
	if size.MaxConnections.IsNull() {
		if size.MaxConnections = types.Int64Unknown(); on != "" {
			size.MaxConnections = toNumber(d.maxConnections)
		}
	}
	m.Database = toObject(ctx, databaseSizeType(), &size, diags)
}

func portOr(configured types.Int64, known bool, port int) types.Int64 {
	switch {
	case !configured.IsNull():
		return configured
	case !known:
		return types.Int64Unknown()
	}
	return types.Int64Value(int64(port))
}
