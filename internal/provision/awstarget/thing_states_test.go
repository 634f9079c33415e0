package awstarget

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// staged are things that EC2 shows in one state after the other, "" for not at all. The last stays.
type staged struct {
	n      *noun
	states map[string][]string
	did    []string
}

const whyFailed = "failed (made by the test)"

func (s *staged) thing() thing {
	return thing{
		mark: markNAT(0), what: "NAT gateway", idFilter: "nat-gateway-id",
		find: func(_ context.Context, _ *clients, filters []types.Filter) (all []found, err error) {
			for _, id := range target.SortedKeys(s.states) {
				if len(filters) == 1 && filters[0].Values[0] != id {
					continue
				}
				f := found{id: id, state: s.states[id][0], tags: s.n.marks(markNAT(0))}
				if len(s.states[id]) > 1 {
					s.states[id] = s.states[id][1:]
				}
				if f.state == "failed" {
					f.failure = whyFailed
				}
				if f.state != "" {
					all = append(all, f)
				}
			}
			return all, nil
		},
		create: func(_ context.Context, _ []types.TagSpecification, token string) (string, error) {
			s.did = append(s.did, "create by a token that is "+map[bool]string{true: "old", false: "new"}[token == "old"])
			s.states["nat-2"] = []string{"pending", available}
			return "nat-2", nil
		},
		delete: func(_ context.Context, id string) error {
			s.did = append(s.did, "delete "+id)
			return nil
		},
	}
}

const anew = "create by a token that is new"

// What can't be used is replaced where a put finds it so, and told where it gets so.
func TestAThingIsTakenForWhatItsStateSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		states        map[string][]string
		put, removed  []string // what is done by a put and by a removal
		known         string   // the id then
		fails         bool     // the put
		told, differs string   // by its error, and by a check before it
	}{
		{"usable soon", map[string][]string{"nat-1": {"pending", "pending", available, available, ""}}, nil, []string{"delete nat-1"}, "nat-1", false, "", "can't be used"},
		{"failed, and seen for an hour", map[string][]string{"nat-1": {"failed"}}, []string{"delete nat-1", anew}, []string{"delete nat-1"}, "nat-2", false, "", whyFailed},
		{"being deleted", map[string][]string{"nat-1": {deleting, deleting, deleting, ""}}, []string{anew}, nil, "nat-2", false, "", "can't be used"},
		{"failing", map[string][]string{"nat-1": {"pending", "pending", "pending", "failed"}}, nil, []string{"delete nat-1", "delete nat-1"}, "nat-1", true, whyFailed, "can't be used"},
		{"deleted by somebody meanwhile", map[string][]string{"nat-1": {"pending", "pending", deleting, ""}}, nil, []string{"delete nat-1"}, "nat-1", true, "somebody deletes it", "can't be used"},
	} {
		begin := func(t *testing.T, facts map[string]string) *staged {
			n := scripted(t, nil)
			n.facts = maps.Clone(facts)
			s := &staged{n: n, states: map[string][]string{}}
			for id, all := range c.states {
				s.states[id] = slices.Clone(all)
			}
			return s
		}
		saved := map[string]string{markNAT(0): "nat-1"}
		t.Run(c.name+", put", func(t *testing.T) {
			t.Parallel()
			for what, facts := range map[string]map[string]string{"by its id": saved, "by its tags": {markNAT(0) + requestSuffix: "old"}} {
				s := begin(t, facts)
				err := s.n.putThing(t.Context(), s.thing())
				if (err != nil) != c.fails || err != nil && !strings.Contains(err.Error(), c.told) {
					t.Errorf("%s: got error %v", what, err)
				}
				if diff := cmp.Diff(c.put, s.did); diff != "" {
					t.Errorf("%s: done (-want +got):\n%s", what, diff)
				}
				if left := s.states["nat-1"]; c.states["nat-1"][0] == deleting && left[0] == deleting {
					t.Errorf("%s: its end was not waited for", what)
				}
				if id := s.n.fact(markNAT(0)); id != c.known || s.n.fact(markNAT(0)+requestSuffix) != "" {
					t.Errorf("%s: saved are %v", what, s.n.facts)
				}
			}
		})
		t.Run(c.name+", removed", func(t *testing.T) {
			t.Parallel()
			s := begin(t, saved)
			if err := s.n.removeThing(t.Context(), s.thing()); err != nil {
				t.Error(err)
			}
			if got := slices.Compact(s.did); !cmp.Equal(slices.Compact(slices.Clone(c.removed)), got) || len(s.n.facts) > 0 {
				t.Errorf("done %q, want %q; saved are %v", got, c.removed, s.n.facts)
			}
		})
		t.Run(c.name+", checked", func(t *testing.T) {
			t.Parallel()
			s := begin(t, saved)
			drift, err := s.n.checkThings(t.Context(), []thing{s.thing()})
			if got := strings.Join(drift, "; "); err != nil || !strings.Contains(got, c.differs) {
				t.Errorf("got %q, error %v", got, err)
			}
		})
	}
}

// Of what has the same tags, what failed and what is being deleted are seen beside what came in their place.
func TestWhatCanBeUsedIsFoundBesideWhatCanNot(t *testing.T) {
	t.Parallel()
	for _, states := range []map[string][]string{
		{"nat-0": {"failed"}, "nat-1": {deleting}, "nat-2": {"pending", available}},
		{"nat-2": {"pending", available}, "nat-3": {deleting}, "nat-4": {"failed"}},
	} {
		s := &staged{n: scripted(t, nil), states: states}
		if err := s.n.putThing(t.Context(), s.thing()); err != nil || len(s.did) > 0 || s.n.fact(markNAT(0)) != "nat-2" {
			t.Errorf("got error %v, done %q, saved %v", err, s.did, s.n.facts)
		}
	}
}

// What EC2 says of NAT gateways and VPC endpoints, in whatever letters.
func TestStatesOfNetworksAreRead(t *testing.T) {
	t.Parallel()
	const why = "made by the test"
	code, message := "Code", why
	for _, c := range []struct {
		gateway  types.NatGatewayState
		endpoint types.State
		seen     found // of the endpoint
	}{
		{types.NatGatewayStatePending, types.StatePending, found{state: "pending"}},
		{types.NatGatewayStateAvailable, types.StateAvailable, found{state: available}},
		{types.NatGatewayStateAvailable, "available", found{state: available}},
		{types.NatGatewayStateDeleting, types.StateDeleting, found{state: deleting}},
		{types.NatGatewayStateDeleted, types.StateDeleted, found{}},
		{types.NatGatewayStateFailed, types.StateFailed, found{state: "failed", failure: why}},
		{types.NatGatewayStateFailed, types.StateRejected, found{state: "rejected", failure: why}},
		{types.NatGatewayStateFailed, types.StateExpired, found{state: "expired", failure: why}},
	} {
		n := scripted(t, func(in any) (any, error) {
			if _, ok := in.(*ec2.DescribeNatGatewaysInput); ok {
				return &ec2.DescribeNatGatewaysOutput{NatGateways: []types.NatGateway{{State: c.gateway, FailureCode: &code, FailureMessage: &message}}}, nil
			}
			return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{{State: c.endpoint, LastError: &types.LastError{Code: &code, Message: &message}}}}, nil
		})
		for _, of := range []thing{n.natGateway(0), n.endpoint(layout{}, "s3")} {
			all, err := of.find(t.Context(), n.clients, nil)
			if err != nil || len(all) != 1 && c.seen.state != "" || len(all) > 0 && c.seen.state == "" {
				t.Errorf("%s: got %+v, error %v", of.what, all, err)
				continue
			}
			for _, f := range all {
				want := map[string]string{"NAT gateway": string(c.gateway), "VPC endpoint": c.seen.state}[of.what]
				if f.state != want || (f.failure != "") != (c.seen.failure != "") || !strings.Contains(f.failure, c.seen.failure) {
					t.Errorf("%s: got %+v, want %+v", of.what, f, c.seen)
				}
			}
		}
	}
}
