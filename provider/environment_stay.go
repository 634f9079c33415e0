package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// stay keeps what an update does not change as it is in state, so that nothing that depends on it
// is planned to change with it.
func (m *environmentModel) stay(ctx context.Context, state environmentModel, kept note, diags *diag.Diagnostics) {
	onAWS := m.on() == targetAWS
	m.AccountsDirectory = stays(m.AccountsDirectory, state.AccountsDirectory, types.StringUnknown(), kept.Unfinished && !onAWS)
	m.CertificateAuthority = stays(m.CertificateAuthority, state.CertificateAuthority, types.StringUnknown(), kept.Unfinished && !onAWS)
	m.DatabaseHost = stays(m.DatabaseHost, state.DatabaseHost, types.StringUnknown(), kept.Unfinished)
	if slices.Contains(kept.Anew, "database_host") {
		m.DatabaseHost = types.StringUnknown()
	}
	m.DatabasePort = stays(m.DatabasePort, state.DatabasePort, types.Int64Unknown(), kept.Unfinished)
	of := environmentResourcesType()
	m.AWSResources = stays(m.AWSResources, state.AWSResources, types.ObjectUnknown(of.AttrTypes), kept.Unfinished && onAWS)
	if state.AWSResources.IsNull() {
		return
	}
	outputs := maps.Clone(state.AWSResources.Attributes())
	anew := append(m.anew(ctx, state, diags), kept.Anew...)
	for name, v := range outputs {
		if !v.IsNull() && !slices.Contains(anew, name) {
			continue
		}
		unknown, err := unknownOf(ctx, of.AttrTypes[name])
		if err != nil {
			diags.AddError("Unable to plan", sentence(err.Error()))
			return
		}
		outputs[name] = unknown
	}
	planned, d := types.ObjectValue(of.AttrTypes, outputs)
	diags.Append(d...)
	m.AWSResources = planned
}

// anew names the outputs that follow from what is going to change in place.
func (m environmentModel) anew(ctx context.Context, state environmentModel, diags *diag.Diagnostics) []string {
	const certificate, addresses, zone = "certificate_arn", "nat_addresses", "hosted_zone_id"
	entrances := []string{"https_listener_arn", "preview_listener_arn"}
	was, is := nested[environmentAWSModel](ctx, state.AWS, diags), nested[environmentAWSModel](ctx, m.AWS, diags)
	if was == nil || is == nil {
		return append(entrances, certificate, addresses, zone)
	}
	var names []string
	if !m.Network.Equal(state.Network) {
		names = append(names, entrances...)
	}
	if !m.DomainName.Equal(state.DomainName) || !is.HostedZoneID.Equal(was.HostedZoneID) {
		names = append(names, zone)
	}
	if !m.DomainName.Equal(state.DomainName) || !is.CertificateARN.Equal(was.CertificateARN) || !is.HostedZoneID.Equal(was.HostedZoneID) {
		names = append(names, certificate)
	}
	if !is.NAT.Equal(was.NAT) {
		names = append(names, addresses)
	}
	return names
}
