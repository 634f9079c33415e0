package awstest

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// nodesOfBalancer is how many nodes a load balancer has.
const nodesOfBalancer = 2

// node is one of a load balancer: its address within the VPC, and the load balancer's DNS name.
type node struct{ address, balancer string }

// nodesOf are the nodes of a load balancer; they are made when somebody asks for them first.
func (b *balancing) nodesOf(balancer string) []node {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []node
	for _, n := range b.nodes {
		if n.balancer == balancer {
			all = append(all, n)
		}
	}
	for len(all) < nodesOfBalancer {
		n := node{fmt.Sprintf("10.254.%d.%d", len(b.nodes)/250, len(b.nodes)%250+4), balancer}
		b.nodes, all = append(b.nodes, n), append(all, n)
	}
	return all
}

// interfaces answers DescribeNetworkInterfaces about load balancers, by the description that
// their network interfaces have: "ELB app/NAME/ID".
func (b *balancing) interfaces(c Call) http.Handler {
	if c.Service != "ec2" || c.Operation != "DescribeNetworkInterfaces" || !strings.HasPrefix(c.Form.Get("Filter.1.Value.1"), "ELB app/") {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Split(c.Form.Get("Filter.1.Value.1"), "/")[1]
		out, err := elb.NewFromConfig(b.config(c.Region)).DescribeLoadBalancers(r.Context(), &elb.DescribeLoadBalancersInput{Names: []string{name}})
		if err != nil {
			c.send(w, nil, err)
			return
		}
		type networkInterface struct {
			Description string `xml:"description"`
			Address     string `xml:"privateIpAddress"`
			Status      string `xml:"status"`
		}
		var all []networkInterface
		for _, n := range b.nodesOf(aws.ToString(out.LoadBalancers[0].DNSName)) {
			all = append(all, networkInterface{c.Form.Get("Filter.1.Value.1"), n.address, "in-use"})
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(mustXML(struct {
			XMLName xml.Name           `xml:"DescribeNetworkInterfacesResponse"`
			All     []networkInterface `xml:"networkInterfaceSet>item"`
		}{All: all}))
	})
}

// dialInside connects to a port of a node, as from within its VPC.
func (b *balancing) dialInside(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	balancer := ""
	for _, n := range b.nodes {
		if n.address == host {
			balancer = n.balancer
		}
	}
	b.mu.Unlock()
	if balancer == "" {
		return nil, fmt.Errorf("no node has address %s", host)
	}
	d, err := b.open(balancer, port)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, d.address)
}
