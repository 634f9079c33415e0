package awstarget

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const errNoListener = "ListenerNotFound"

// A policy is named always: without one the API gives one of 2016. The first is the one that AWS recommends
// ("Security policies for your Application Load Balancer"); where AWS does not know it, the second is
// used, and that is saved.
const (
	tlsPolicy        = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
	earlierTLSPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	factTLSPolicy    = "tls_policy"
)

// listener is one entrance of a load balancer.
type listener struct {
	port int32
	tls  bool
	// action is what it does with what no rule takes.
	action types.Action
}

// listeners are the entrances: HTTP leads to HTTPS, and production and preview say 503 while
// nothing is live.
func listeners(e target.Environment) []listener {
	unavailable := types.Action{
		Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("503"), ContentType: aws.String("text/plain"), MessageBody: aws.String("Nothing is live here.\n")},
	}
	https, preview := int32(e.Network.HTTPSPort), int32(e.Network.PreviewPort)
	return []listener{
		{port: 80, action: types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
			Protocol: aws.String("HTTPS"), Port: aws.String(fmt.Sprint(https)), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
		}}},
		{port: https, tls: true, action: unavailable},
		{port: preview, tls: true, action: unavailable},
	}
}

// findListeners describes the listeners of a load balancer, by port.
func findListeners(ctx context.Context, c *clients, balancer string) (map[int32]types.Listener, error) {
	all := map[int32]types.Listener{}
	pages := elb.NewDescribeListenersPaginator(c.elb, &elb.DescribeListenersInput{LoadBalancerArn: &balancer})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(absent(err, errNoBalancer), "find the listeners of load balancer %q", balancer)
		}
		for _, l := range page.Listeners {
			all[aws.ToInt32(l.Port)] = l
		}
	}
	return all, nil
}

// lagsOfCertificate are what Elastic Load Balancing says of a certificate that ACM has just issued.
var lagsOfCertificate = []lag{{code: "CertificateNotFound"}, {code: "UnsupportedCertificate"}}

// putListeners makes the entrances. A port is unique in a load balancer: a repeated create is
// refused.
func (n *noun) putListeners(ctx context.Context, part string, e target.Environment) error {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return err
	}
	balancer := text(b.LoadBalancerArn)
	has, err := findListeners(ctx, n.clients, balancer)
	if err != nil {
		return err
	}
	for _, want := range listeners(e) {
		l, ok := has[want.port]
		err = n.target.patiently(ctx, "Elastic Load Balancing to take the certificate", func(ctx context.Context) error {
			switch {
			case !ok:
				return n.createListener(ctx, part, balancer, want)
			case n.listenerDrift(l, want) != "":
				return n.modifyListener(ctx, text(l.ListenerArn), want)
			}
			return nil
		}, lagsOfCertificate...)
		if err != nil {
			return err
		}
		delete(has, want.port)
	}
	return n.settleListeners(ctx, part, balancer, has)
}

// settleListeners gives the entrances the tags of the definition, and removes those of an earlier one.
// What somebody else has added to the load balancer stays.
func (n *noun) settleListeners(ctx context.Context, part, balancer string, surplus map[int32]types.Listener) error {
	has, err := findListeners(ctx, n.clients, balancer)
	if err != nil {
		return err
	}
	tags, err := findELBTags(ctx, n.clients, arnsOf(has)...)
	if err != nil {
		return err
	}
	for port, l := range has {
		if _, ok := surplus[port]; ok {
			if !n.bears(part, tags[text(l.ListenerArn)]) {
				continue
			}
			if _, err := n.clients.elb.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}); gone(err, errNoListener) != nil {
				return failed(err, "delete the listener on port %d", port)
			}
			continue
		}
		if err := n.putELBTags(ctx, part, fmt.Sprintf("the listener on port %d", port), text(l.ListenerArn), tags[text(l.ListenerArn)]); err != nil {
			return err
		}
	}
	return nil
}

// arnsOf are the ARNs of listeners, in order.
func arnsOf(all map[int32]types.Listener) []string {
	var arns []string
	for _, l := range all {
		arns = append(arns, text(l.ListenerArn))
	}
	slices.Sort(arns)
	return arns
}

// tls are the settings of an entrance with TLS; all are nil for one without.
func (n *noun) tls(l listener) (protocol types.ProtocolEnum, policy *string, certificates []types.Certificate) {
	if !l.tls {
		return types.ProtocolEnumHttp, nil, nil
	}
	return types.ProtocolEnumHttps, aws.String(cmp.Or(n.fact(factTLSPolicy), tlsPolicy)), []types.Certificate{{CertificateArn: aws.String(n.fact(factCertificate))}}
}

// withPolicy sends a listener, and again with the earlier policy where AWS does not know the other.
func (n *noun) withPolicy(ctx context.Context, l listener, send func(protocol types.ProtocolEnum, policy *string, certificates []types.Certificate) error) error {
	err := send(n.tls(l))
	if !l.tls || !coded(err, "SSLPolicyNotFound") || n.fact(factTLSPolicy) != "" {
		return err
	}
	if err := n.save(ctx, factTLSPolicy, earlierTLSPolicy); err != nil {
		return err
	}
	return send(n.tls(l))
}

func (n *noun) createListener(ctx context.Context, part, balancer string, l listener) error {
	err := n.withPolicy(ctx, l, func(protocol types.ProtocolEnum, policy *string, certificates []types.Certificate) error {
		_, err := n.clients.elb.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: &balancer, Port: &l.port, Protocol: protocol, SslPolicy: policy, Certificates: certificates,
			DefaultActions: []types.Action{l.action}, Tags: n.elbTags(part),
		})
		return err
	})
	if coded(err, "DuplicateListener") {
		return nil // made by the call whose answer was lost; it is compared at the next put
	}
	return failed(err, "create the listener on port %d", l.port)
}

func (n *noun) modifyListener(ctx context.Context, arn string, l listener) error {
	err := n.withPolicy(ctx, l, func(protocol types.ProtocolEnum, policy *string, certificates []types.Certificate) error {
		_, err := n.clients.elb.ModifyListener(ctx, &elb.ModifyListenerInput{
			ListenerArn: &arn, Port: &l.port, Protocol: protocol, SslPolicy: policy, Certificates: certificates, DefaultActions: []types.Action{l.action},
		})
		return err
	})
	return failed(err, "change the listener on port %d", l.port)
}

// listenerDrift says how a listener differs from what it should be, "" if it does not.
func (n *noun) listenerDrift(has types.Listener, want listener) string {
	protocol, policy, certificates := n.tls(want)
	switch {
	case has.Protocol != protocol:
		return fmt.Sprintf("speaks %s, not %s", has.Protocol, protocol)
	case want.tls && text(has.SslPolicy) != text(policy):
		return fmt.Sprintf("has TLS policy %q, not %q", text(has.SslPolicy), text(policy))
	case len(has.Certificates) != len(certificates), want.tls && text(has.Certificates[0].CertificateArn) != text(certificates[0].CertificateArn):
		return "has another certificate"
	case len(has.DefaultActions) != 1, !sameAction(has.DefaultActions[0], want.action):
		return "answers otherwise where no rule applies"
	}
	return ""
}

// sameAction says whether what a listener does is what it should do. What is not asked for AWS fills
// in: a redirect keeps host, path and query.
func sameAction(has, want types.Action) bool {
	switch {
	case has.Type != want.Type:
		return false
	case has.RedirectConfig != nil && want.RedirectConfig != nil:
		h, w := has.RedirectConfig, want.RedirectConfig
		return text(h.Port) == text(w.Port) && text(h.Protocol) == text(w.Protocol) && h.StatusCode == w.StatusCode &&
			kept(h.Host, "#{host}") && kept(h.Path, "/#{path}") && kept(h.Query, "#{query}")
	case has.FixedResponseConfig != nil && want.FixedResponseConfig != nil:
		h, w := has.FixedResponseConfig, want.FixedResponseConfig
		return text(h.StatusCode) == text(w.StatusCode) && text(h.ContentType) == text(w.ContentType) && text(h.MessageBody) == text(w.MessageBody)
	}
	return false
}

// kept says whether a redirect leaves a part of the address as it was.
func kept(has *string, same string) bool { return has == nil || *has == same }

// checkListeners says how the entrances differ from what putListeners makes.
func (n *noun) checkListeners(ctx context.Context, e target.Environment) ([]string, error) {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return nil, gone(err) // the load balancer's own check says so
	}
	has, err := findListeners(ctx, n.clients, text(b.LoadBalancerArn))
	if err != nil {
		return nil, gone(err)
	}
	var drift []string
	for _, want := range listeners(e) {
		l, ok := has[want.port]
		if !ok {
			drift = append(drift, fmt.Sprintf("the listener on port %d is gone", want.port))
		} else if differs := n.listenerDrift(l, want); differs != "" {
			drift = append(drift, fmt.Sprintf("the listener on port %d %s", want.port, differs))
		}
	}
	more, err := n.entranceTagDrift(ctx, text(b.LoadBalancerArn), has, e)
	return append(drift, more...), err
}

// entranceTagDrift says which tags the load balancer and its entrances lack, and which entrances are
// left over of an earlier definition.
func (n *noun) entranceTagDrift(ctx context.Context, balancer string, all map[int32]types.Listener, e target.Environment) ([]string, error) {
	tags, err := findELBTags(ctx, n.clients, append([]string{balancer}, arnsOf(all)...)...)
	if err != nil {
		return nil, gone(err) // between two looks
	}
	drift := n.tagDrift(partBalancer, fmt.Sprintf("load balancer %q", n.balancerName()), tags[balancer])
	for _, port := range slices.Sorted(maps.Keys(all)) {
		has := tags[text(all[port].ListenerArn)]
		switch {
		case slices.ContainsFunc(listeners(e), func(l listener) bool { return l.port == port }):
			drift = append(drift, n.tagDrift(partListeners, fmt.Sprintf("the listener on port %d", port), has)...)
		case n.bears(partListeners, has):
			drift = append(drift, fmt.Sprintf("there is a listener on port %d that should not be", port))
		}
	}
	return drift, nil
}

// deleteListeners removes the entrances, which need the certificate.
func (n *noun) deleteListeners(ctx context.Context) error {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err == nil {
		err = n.claimELB(ctx, partBalancer, "load balancer", text(b.LoadBalancerArn))
	}
	if err != nil {
		return gone(err, errNoBalancer)
	}
	has, err := findListeners(ctx, n.clients, text(b.LoadBalancerArn))
	if err != nil {
		return gone(err)
	}
	for port, l := range has {
		if _, err := n.clients.elb.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}); gone(err, errNoListener) != nil {
			return failed(err, "delete the listener on port %d", port)
		}
	}
	return nil
}
