package awstest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// ownServer is what a load balancer calls itself in answers of its own.
const ownServer = "awselb/2.0"

// door is where a listener's port is on this machine.
type door struct{ address string }

// Dial connects to a port of a load balancer by its DNS name, or by a name that Route 53 has as
// an alias of it: it is what a client outside AWS does. Or it connects to a database cluster, as one
// inside its VPC does.
func (a *Account) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(host, ".rds.amazonaws.com") {
		return a.dialDatabase(ctx, host, port)
	}
	name, err := a.cloud.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	d, err := a.balancing.open(name, port)
	if err != nil {
		return nil, fmt.Errorf("dial %s at %s: %w", address, name, err)
	}
	return new(net.Dialer).DialContext(ctx, network, d.address)
}

// open begins to listen for a listener when it is first asked for.
func (b *balancing) open(name, port string) (*door, error) {
	e, err := b.entrance(name, port)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	arn := aws.ToString(e.ListenerArn)
	if d := b.doors[arn]; d != nil {
		return d, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &door{address: l.Addr().String()}
	if e.Protocol == types.ProtocolEnumHttps {
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return b.presented(name, port)
		}})
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.serve(w, r, name, port)
	})}
	b.goroutines.Go(func() { _ = s.Serve(l) })
	context.AfterFunc(b.running, func() { _ = s.Close() })
	b.doors[arn] = d
	return d, nil
}

// entrance is the listener of a load balancer on a port.
func (b *balancing) entrance(name, port string) (entrance, error) {
	labels := strings.Split(name, ".") // NAME.REGION.elb.amazonaws.com
	if len(labels) < 4 {
		return entrance{}, fmt.Errorf("%q is not the name of a load balancer", name)
	}
	routes, err := b.routing(labels[len(labels)-4])
	if err != nil {
		return entrance{}, err
	}
	for _, e := range routes.entrances {
		if strings.EqualFold(aws.ToString(e.balancer.DNSName), name) && strconv.Itoa(int(aws.ToInt32(e.Port))) == port {
			return e, nil
		}
	}
	return entrance{}, errors.New("connection refused")
}

// serve does with a request what the first rule says that takes it.
func (b *balancing) serve(w http.ResponseWriter, r *http.Request, name, port string) {
	e, err := b.entrance(name, port)
	if err != nil {
		panic(http.ErrAbortHandler) // the listener was removed
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	a := asks{host: host, path: r.URL.Path, method: r.Method, header: r.Header.Get}
	for _, rule := range e.rules {
		if !aws.ToBool(rule.IsDefault) && !matches(rule, a) {
			continue
		}
		for _, action := range rule.Actions {
			b.act(w, r, e, action)
		}
		return
	}
}

func (b *balancing) act(w http.ResponseWriter, r *http.Request, e entrance, a types.Action) {
	if a.Type != types.ActionTypeEnumForward {
		w.Header().Set("Server", ownServer)
	}
	switch a.Type {
	case types.ActionTypeEnumForward:
		b.forward(w, r, e, a)
	case types.ActionTypeEnumRedirect:
		status := http.StatusMovedPermanently
		if a.RedirectConfig.StatusCode == types.RedirectActionStatusCodeEnumHttp302 {
			status = http.StatusFound
		}
		http.Redirect(w, r, redirected(r, e, a.RedirectConfig), status)
	case types.ActionTypeEnumFixedResponse:
		status, err := strconv.Atoi(aws.ToString(a.FixedResponseConfig.StatusCode))
		if err != nil {
			status = http.StatusInternalServerError
		}
		w.Header().Set("Content-Type", aws.ToString(a.FixedResponseConfig.ContentType))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(aws.ToString(a.FixedResponseConfig.MessageBody)))
	}
}

// redirected is where a redirect leads; what it does not set stays: "Redirect actions".
func redirected(r *http.Request, e entrance, c *types.RedirectActionConfig) string {
	part := func(p *string, otherwise string) string {
		if p == nil {
			p = &otherwise
		}
		return strings.NewReplacer(
			"#{protocol}", strings.ToLower(string(e.Protocol)), "#{host}", strings.Split(r.Host, ":")[0], "#{port}", fmt.Sprint(aws.ToInt32(e.Port)),
			"#{path}", strings.TrimPrefix(r.URL.Path, "/"), "#{query}", r.URL.RawQuery,
		).Replace(*p)
	}
	to := url.URL{
		Scheme: strings.ToLower(part(c.Protocol, "#{protocol}")), Host: net.JoinHostPort(part(c.Host, "#{host}"), part(c.Port, "#{port}")),
		Path: part(c.Path, "/#{path}"), RawQuery: part(c.Query, "#{query}"),
	}
	return to.String()
}
