package awstarget

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	probeTimeout = 10 * time.Second
	// balancerServer is what the load balancer calls itself in the answers that are its own.
	balancerServer = "awselb/"
)

// ProbeFrontDoor implements target.Router. The answer of an application does not say whose it is
// on AWS. The load balancer's does, by a rule that is changed with the others, after them: the
// node that answers has heard of the switch. Then the application itself is asked. Where only
// others are let in, a task in the VPC asks all nodes, for a run that has the slot's lease.
func (t *Target) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	w, err := t.openSlot(ctx, id)
	if err != nil {
		return target.Probe{}, err
	}
	of := w.state.Seats[w.state.Traffic.Color]
	if of == nil {
		return target.Probe{Problem: "nothing serves"}, nil
	}
	e, err := w.entrances(ctx)
	if err != nil {
		return target.Probe{}, err
	}
	if w.state.Tasks[of.probeKey()] == nil {
		out, reached, err := w.probeFromHere(ctx, e, of)
		if err != nil || reached || !w.spec.AWS.Restricted() {
			return out, err
		}
	}
	l, held := t.held.Load(id)
	if !held {
		return target.Probe{Problem: "the front door can't be reached from here: a run that has the lease of the slot asks it from inside the VPC"}, nil
	}
	w.lease = l.(target.Lease)
	return w.probeInside(ctx, e, of)
}

// probeFromHere asks for the release of a stack at each routed component, and says whether the
// load balancer was reached: something else may have its private address here.
func (w *slotWork) probeFromHere(ctx context.Context, e entrances, of *seat) (out target.Probe, reached bool, err error) {
	d := of.Spec.Definition.Expand()
	out.Release = d.Release
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		if c.Worker() {
			continue
		}
		out, reached = w.probe(ctx, text(e.balancer.DNSName), c.Routes[0])
		if ctx.Err() != nil {
			return out, reached, context.Cause(ctx)
		}
		if out.Release != d.Release {
			out.Problem = strings.TrimSpace(fmt.Sprintf("at component %q %s", name, out.Problem))
			return out, reached, nil
		}
	}
	return out, true, nil
}

// probe asks a load balancer for a slot's release, and for a route over the same connection. It
// says whether there was an answer from who shows the environment's certificate.
func (w *slotWork) probe(ctx context.Context, balancer string, r target.Route) (out target.Probe, reached bool) {
	host := probeHost(r, w.spec.DomainName)
	client := &http.Client{
		Timeout:       probeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     w.clients.door(host),
	}
	defer client.CloseIdleConnections()
	url := "https://" + net.JoinHostPort(balancer, strconv.Itoa(w.spec.Network.HTTPSPort)) + r.PathPrefix
	marked, err := ask(ctx, client, url, host, w.probeMark())
	reached = err == nil
	if err == nil && marked.status != http.StatusOK {
		err = fmt.Errorf("the load balancer answered with status %d and named no release", marked.status)
	}
	if err != nil {
		return target.Probe{Problem: err.Error()}, reached
	}
	answer, err := ask(ctx, client, url, host, "")
	if err != nil {
		return target.Probe{Problem: err.Error()}, reached
	}
	out = target.Probe{Release: marked.body, StatusCode: answer.status}
	if answer.status >= http.StatusInternalServerError && strings.HasPrefix(answer.server, balancerServer) {
		out.Release, out.Problem = "", fmt.Sprintf("the load balancer answered with status %d: the application did not", answer.status)
	}
	return out, reached
}

// probeHost is a name that a route's requests can be for.
func probeHost(r target.Route, domain string) string {
	switch r.Host {
	case "":
		return domain
	case "*":
		return "slipway-probe." + domain
	}
	return r.Host + "." + domain
}

// reply is what came back to a probe.
type reply struct {
	status       int
	server, body string
}

// ask sends one request for a host; with the mark of a slot's probes the load balancer answers it itself.
func ask(ctx context.Context, client *http.Client, url, host, mark string) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return reply{}, err
	}
	r.Host = host
	r.Header.Set("User-Agent", "slipway-probe")
	if mark != "" {
		r.Header.Set(headerProbe, mark)
	}
	answer, err := client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("ask for %s: %w", host, err)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return reply{answer.StatusCode, answer.Header.Get("Server"), string(b)}, errors.Join(err, answer.Body.Close())
}
