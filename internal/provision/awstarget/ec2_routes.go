package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// routes are the route tables: one for all public subnets, one for each private one, and one
// for all database subnets, which leads nowhere outside.
func (n *noun) routes(l layout) []thing {
	var all []thing
	for _, p := range l.paths() {
		all = append(all, n.routeTable(p))
	}
	return all
}

// paths are what they are for.
func (l layout) paths() []path {
	all := []path{{l, subnetPublic, 0, l.zones}, {l, subnetDatabase, 0, l.zones}}
	for zone := range l.zones {
		all = append(all, path{l, subnetPrivate, zone, zone + 1})
	}
	return all
}

// tables are the marks of the route tables of subnets of a kind.
func (l layout) tables(kind string) []string {
	var marks []string
	for zone := range l.zones {
		if kind == subnetPrivate || zone == 0 {
			marks = append(marks, markRoutes(kind, zone))
		}
	}
	return marks
}

// tableIDs are the ids of the route tables of subnets of a kind, none in a network that is given.
func (n *noun) tableIDs(l layout, kind string) []string {
	var ids []string
	for _, mark := range l.tables(kind) {
		ids = append(ids, n.fact(mark))
	}
	return ids
}

// path is which subnets a route table is for: those of a kind in zones from until to.
type path struct {
	layout   layout
	kind     string
	from, to int
}

func (n *noun) routeTable(p path) thing {
	c := n.clients.ec2
	return thing{
		mark: markRoutes(p.kind, p.from), what: "route table", idFilter: "route-table-id", kind: types.ResourceTypeRouteTable,
		find: func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error) {
			out, err := c.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: filters})
			if err != nil {
				return nil, err
			}
			var all []found
			for _, t := range out.RouteTables {
				all = append(all, found{id: text(t.RouteTableId), state: available, tags: ec2Tags(t.Tags)})
			}
			return all, nil
		},
		create: func(ctx context.Context, tags []types.TagSpecification, token string) (string, error) {
			out, err := c.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: aws.String(n.fact(markVPC)), TagSpecifications: tags, ClientToken: &token}, onlyOnce)
			if err != nil {
				return "", err
			}
			return text(out.RouteTable.RouteTableId), nil
		},
		settle: func(ctx context.Context, id string) error { return n.route(ctx, id, p) },
		check:  func(ctx context.Context, id string) ([]string, error) { return n.checkRoute(ctx, id, p) },
		delete: func(ctx context.Context, id string) error { return n.deleteRouteTable(ctx, id) },
	}
}

const errNoRoutes = "InvalidRouteTableID.NotFound"

// route leads a table's traffic outside and gives it its subnets. One that is not seen is taken for a new
// one, which is empty: where it is not there EC2 refuses what comes then.
func (n *noun) route(ctx context.Context, id string, p path) error {
	table, err := n.findRouteTable(ctx, id)
	if isAbsent(err) {
		table, err = &types.RouteTable{RouteTableId: &id}, nil
	}
	if err != nil {
		return err
	}
	if err := n.putDefaultRoute(ctx, table, p); err != nil {
		return err
	}
	for _, subnet := range n.unassociated(table, p) {
		if err := n.associate(ctx, id, subnet); err != nil {
			return err
		}
	}
	return nil
}

// associate gives a subnet a table, also where it has another one.
func (n *noun) associate(ctx context.Context, id, subnet string) error {
	filter := "association.subnet-id"
	out, err := n.clients.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: &filter, Values: []string{subnet}}}})
	if err != nil {
		return err
	}
	for _, t := range out.RouteTables {
		for _, a := range t.Associations {
			if text(a.SubnetId) == subnet {
				_, err := n.clients.ec2.ReplaceRouteTableAssociation(ctx, &ec2.ReplaceRouteTableAssociationInput{AssociationId: a.RouteTableAssociationId, RouteTableId: &id})
				return err
			}
		}
	}
	_, err = n.clients.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: &id, SubnetId: &subnet})
	return gone(err, "Resource.AlreadyAssociated") // by the call whose answer was lost
}

// unassociated are the subnets that a table should have and has not.
func (n *noun) unassociated(table *types.RouteTable, p path) []string {
	has := map[string]bool{}
	for _, a := range table.Associations {
		has[text(a.SubnetId)] = true
	}
	var missing []string
	for zone := p.from; zone < p.to; zone++ {
		if subnet := n.fact(markSubnet(p.kind, zone)); !has[subnet] {
			missing = append(missing, subnet)
		}
	}
	return missing
}

// checkRoute says how a table differs from what route makes.
func (n *noun) checkRoute(ctx context.Context, id string, p path) ([]string, error) {
	table, err := n.findRouteTable(ctx, id)
	if err != nil {
		return nil, err
	}
	var drift []string
	if _, ok := n.defaultRoute(table, p); !ok {
		drift = append(drift, fmt.Sprintf("route table %s does not lead outside as it should", id))
	}
	if len(n.unassociated(table, p)) > 0 {
		drift = append(drift, fmt.Sprintf("route table %s is not that of its subnets", id))
	}
	return drift, nil
}

func (n *noun) findRouteTable(ctx context.Context, id string) (*types.RouteTable, error) {
	filter := "route-table-id"
	out, err := n.clients.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: &filter, Values: n.beside("routes-", id)}}})
	if err != nil {
		return nil, err
	}
	for _, t := range out.RouteTables {
		if text(t.RouteTableId) == id {
			return &t, nil
		}
	}
	return nil, errAbsent
}

const everywhere = "0.0.0.0/0"

// outside is the gateway that a path leads to; both are nil where it leads nowhere.
func (n *noun) outside(p path) (internet, nat *string) {
	switch {
	case p.kind == subnetPublic:
		internet = aws.String(n.fact(markGateway))
	case p.kind == subnetPrivate && p.layout.gateways > 0:
		nat = aws.String(n.fact(markNAT(min(p.from, p.layout.gateways-1))))
	}
	return internet, nat
}

// defaultRoute says whether a table has a way outside, and whether it is the right one.
func (n *noun) defaultRoute(table *types.RouteTable, p path) (has, right bool) {
	internet, nat := n.outside(p)
	for _, r := range table.Routes {
		if text(r.DestinationCidrBlock) == everywhere {
			return true, text(r.GatewayId) == text(internet) && text(r.NatGatewayId) == text(nat) && r.State == types.RouteStateActive
		}
	}
	return false, internet == nil && nat == nil
}

// putDefaultRoute leads a table's traffic outside. A way that is to lead nowhere stays until closeRoutes.
func (n *noun) putDefaultRoute(ctx context.Context, table *types.RouteTable, p path) error {
	internet, nat := n.outside(p)
	has, right := n.defaultRoute(table, p)
	var err error
	switch {
	case right, internet == nil && nat == nil:
	case has:
		_, err = n.clients.ec2.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: aws.String(everywhere), GatewayId: internet, NatGatewayId: nat})
	default:
		_, err = n.clients.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: aws.String(everywhere), GatewayId: internet, NatGatewayId: nat})
	}
	return gone(err, "RouteAlreadyExists")
}

// closeRoutes takes away the ways outside of tables that are to have none. Stacks may reach AWS's services by them
// until there are endpoints for these.
func (n *noun) closeRoutes(ctx context.Context, l layout) error {
	if l.given != nil {
		return nil
	}
	for _, p := range l.paths() {
		if internet, nat := n.outside(p); internet != nil || nat != nil {
			continue
		}
		id := n.fact(markRoutes(p.kind, p.from))
		table, err := n.findRouteTable(ctx, id)
		if isAbsent(err) { // it is new
			continue
		}
		if err != nil {
			return failed(err, "find route table %s", id)
		}
		if has, _ := n.defaultRoute(table, p); !has {
			continue
		}
		_, err = n.clients.ec2.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &id, DestinationCidrBlock: aws.String(everywhere)})
		if gone(err, "InvalidRoute.NotFound") != nil {
			return failed(err, "take the way outside from route table %s", id)
		}
	}
	return nil
}

func (n *noun) deleteRouteTable(ctx context.Context, id string) error {
	table, err := n.findRouteTable(ctx, id)
	if err != nil {
		return gone(err)
	}
	for _, a := range table.Associations {
		if _, err := n.clients.ec2.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: a.RouteTableAssociationId}); gone(err, "InvalidAssociationID.NotFound") != nil {
			return err
		}
	}
	_, err = n.clients.ec2.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: &id})
	return gone(err, errNoRoutes)
}
