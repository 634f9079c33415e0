package awstest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// doors answer as the load balancers of an emulator whose own answer nobody: what is forwarded
// gets status 200, and what bears a rule's header gets the fixed response of that rule.
type doors struct{ *cloud }

// ServeHTTP leads CONNECT requests to a load balancer, and answers one request for each.
func (d doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	a, err := issuer()
	if err != nil {
		return
	}
	secure := tls.Server(client, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return a.issue([]string{hello.ServerName})
	}})
	asked, err := http.ReadRequest(bufio.NewReader(secure))
	if err != nil {
		return
	}
	answer := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Close: true}
	said, err := d.answer(d.running, r.Host, asked)
	if err != nil {
		answer.StatusCode, said = http.StatusBadGateway, err.Error()
	}
	answer.Body, answer.ContentLength = io.NopCloser(strings.NewReader(said)), int64(len(said))
	_ = answer.Write(secure)
}

// answer finds the rules of the listener at an address, "NAME.REGION.elb.amazonaws.com:PORT".
func (d doors) answer(ctx context.Context, address string, asked *http.Request) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	labels := strings.Split(host, ".")
	if len(labels) < 3 {
		return "", fmt.Errorf("%s is no load balancer", host)
	}
	client := elb.NewFromConfig(d.config(labels[1]))
	all, err := client.DescribeLoadBalancers(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, b := range all.LoadBalancers {
		if aws.ToString(b.DNSName) != host {
			continue
		}
		listeners, err := client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return "", err
		}
		for _, l := range listeners.Listeners {
			if fmt.Sprint(aws.ToInt32(l.Port)) != port {
				continue
			}
			rules, err := client.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
			if err != nil {
				return "", err
			}
			return fixed(rules.Rules, asked), nil
		}
	}
	return "", errors.New("no listener is at " + address)
}

// fixed is what the rule says whose header a request bears.
func fixed(rules []types.Rule, asked *http.Request) string {
	for _, r := range rules {
		for _, c := range r.Conditions {
			h := c.HttpHeaderConfig
			if h == nil || asked.Header.Get(aws.ToString(h.HttpHeaderName)) != strings.Join(h.Values, "") {
				continue
			}
			for _, a := range r.Actions {
				if a.FixedResponseConfig != nil {
					return aws.ToString(a.FixedResponseConfig.MessageBody)
				}
			}
		}
	}
	return ""
}
