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
		out, reached, err = w.probe(ctx, text(e.balancer.DNSName), c.Routes[0], d.Release)
		if err != nil {
			return out, reached, err
		}
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

// probe asks each address of a load balancer for a slot's release, and for a route. It says what answered otherwise,
// if anything did. One that can't be reached counts only if none can: clients go on to the next.
func (w *slotWork) probe(ctx context.Context, balancer string, r target.Route, release string) (out target.Probe, reached bool, err error) {
	url := "https://" + net.JoinHostPort(balancer, strconv.Itoa(w.spec.Network.HTTPSPort)) + r.PathPrefix
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return out, false, err
	}
	host := probeHost(r, w.spec.DomainName)
	request.Host = host
	for _, address := range w.clients.addresses(ctx, request) {
		p, answered := w.probeAt(request, address)
		switch {
		case answered && p.Release != release:
			return p, true, nil
		case answered || !reached:
			out, reached = p, reached || answered
		}
	}
	return out, reached, nil
}

// probeAt asks one address, the second time over the same connection. It says whether there was an answer from who
// shows the environment's certificate.
func (w *slotWork) probeAt(request *http.Request, address string) (out target.Probe, reached bool) {
	client := &http.Client{
		Timeout:       probeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     w.clients.door(request.Host, address),
	}
	defer client.CloseIdleConnections()
	marked, err := ask(client, request, w.probeMark())
	reached = err == nil
	if err == nil && marked.status != http.StatusOK {
		err = fmt.Errorf("the load balancer answered with status %d and named no release", marked.status)
	}
	if err != nil {
		return target.Probe{Problem: err.Error()}, reached
	}
	answer, err := ask(client, request, "")
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

// ask sends a request; with the mark of a slot's probes the load balancer answers it itself.
func ask(client *http.Client, request *http.Request, mark string) (reply, error) {
	r := request.Clone(request.Context())
	r.Header.Set("User-Agent", "slipway-probe")
	if mark != "" {
		r.Header.Set(headerProbe, mark)
	}
	answer, err := client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("ask for %s: %w", r.Host, err)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return reply{answer.StatusCode, answer.Header.Get("Server"), string(b)}, errors.Join(err, answer.Body.Close())
}
