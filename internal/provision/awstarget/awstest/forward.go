package awstest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// groupCookie keeps a client with a target group: "Sticky sessions", target group stickiness.
const groupCookie = "AWSALBTG"

// forward passes a request on to a target of one of the groups of an action. A group without
// targets answers 503, whatever the others have: weights do not look at health.
func (b *balancing) forward(w http.ResponseWriter, r *http.Request, e entrance, a types.Action) {
	group := choose(w, r, a)
	address := b.pick(group)
	if group == "" || address == "" {
		b.meters.count(sample{at: time.Now(), balancer: aws.ToString(e.balancer.LoadBalancerArn), group: group, refused: http.StatusServiceUnavailable})
		w.Header().Set("Server", ownServer)
		http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
		return
	}
	began := time.Now()
	s := sample{balancer: aws.ToString(e.balancer.LoadBalancerArn), group: group}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     b.transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: address})
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		ModifyResponse: func(response *http.Response) error {
			s.at, s.status, s.took = time.Now(), response.StatusCode, time.Since(began)
			b.meters.count(s)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			s.at, s.refused, s.unreached = time.Now(), http.StatusBadGateway, undialed(err)
			if r.Context().Err() != nil {
				s.refused, s.unreached = clientLeft, false
			}
			b.meters.count(s)
			w.Header().Set("Server", ownServer)
			http.Error(w, fmt.Sprint(s.refused, " ", http.StatusText(s.refused)), s.refused)
		},
	}
	proxy.ServeHTTP(w, r)
}

// clientLeft is the status that a load balancer notes where the client closed the connection ("The load
// balancer generates an HTTP error").
const clientLeft = 460

// undialed says whether there was no connection to a target: what fails on one is no connection error.
func undialed(err error) bool {
	var of *net.OpError
	return errors.As(err, &of) && of.Op == "dial"
}

// choose draws a target group by weight, or takes the one that a client stays with.
func choose(w http.ResponseWriter, r *http.Request, a types.Action) string {
	groups, total := tuples(a), int32(0)
	for _, g := range groups {
		total += aws.ToInt32(g.Weight)
	}
	if total == 0 {
		return ""
	}
	sticky := a.ForwardConfig != nil && a.ForwardConfig.TargetGroupStickinessConfig != nil && aws.ToBool(a.ForwardConfig.TargetGroupStickinessConfig.Enabled)
	if cookie, err := r.Cookie(groupCookie); sticky && err == nil {
		for _, g := range groups {
			if cookie.Value == cookieOf(g) && aws.ToInt32(g.Weight) > 0 {
				return aws.ToString(g.TargetGroupArn)
			}
		}
	}
	n := rand.Int32N(total)
	for _, g := range groups {
		if n -= aws.ToInt32(g.Weight); n < 0 {
			if sticky {
				http.SetCookie(w, &http.Cookie{Name: groupCookie, Value: cookieOf(g), Path: "/", MaxAge: int(aws.ToInt32(a.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds))})
			}
			return aws.ToString(g.TargetGroupArn)
		}
	}
	return ""
}

func cookieOf(g types.TargetGroupTuple) string {
	sum := sha256.Sum256([]byte(aws.ToString(g.TargetGroupArn)))
	return hex.EncodeToString(sum[:])
}

// pick takes the next target of a group. Where none is healthy all are taken: the group fails
// open ("Target group health").
func (b *balancing) pick(group string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var healthy, others []string
	for _, k := range b.of(group) {
		m := b.targets[k]
		address := m.reach(k.port)
		switch m.state {
		case drainingTarget:
		case healthyTarget:
			healthy = append(healthy, address)
		default:
			others = append(others, address)
		}
	}
	if len(healthy) == 0 {
		healthy = others
	}
	if len(healthy) == 0 {
		return ""
	}
	b.turn++
	if address := healthy[b.turn%len(healthy)]; address != "" {
		return address
	}
	return "127.0.0.1:1" // nothing listens there
}
