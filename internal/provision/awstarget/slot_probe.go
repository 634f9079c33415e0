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
// node that answers has heard of the switch. Then the application itself is asked.
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
	d := of.Spec.Definition.Expand()
	out := target.Probe{Release: d.Release}
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		if c.Worker() {
			continue
		}
		var unreached bool
		out, unreached = w.probe(ctx, text(e.balancer.DNSName), c.Routes[0])
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if unreached && w.spec.AWS.Restricted() {
			return w.readBack(ctx, e, d.Release, out.Problem)
		}
		if out.Release != d.Release {
			out.Problem = strings.TrimSpace(fmt.Sprintf("at component %q %s", name, out.Problem))
			return out, nil
		}
	}
	return out, nil
}

// readBack is all that can be said from here of a front door that lets only others in: what its
// rules say.
func (w *slotWork) readBack(ctx context.Context, e entrances, release, problem string) (target.Probe, error) {
	live, err := w.serving(ctx, e)
	if err != nil {
		return target.Probe{}, err
	}
	out := target.Probe{Problem: "the front door can't be reached from here, and its rules were read only: " + problem}
	if live.Color == w.state.Traffic.Color {
		out.Release = release
	}
	return out, nil
}

// probe asks a load balancer for a slot's release, and for a route over the same connection. It
// says whether no connection came about.
func (w *slotWork) probe(ctx context.Context, balancer string, r target.Route) (out target.Probe, unreached bool) {
	host := probeHost(r, w.spec.DomainName)
	client := &http.Client{
		Timeout:       probeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     w.clients.door(host),
	}
	defer client.CloseIdleConnections()
	url := "https://" + net.JoinHostPort(balancer, strconv.Itoa(w.spec.Network.HTTPSPort)) + r.PathPrefix
	marked, err := ask(ctx, client, url, host, w.id.Name)
	if err == nil && marked.status != http.StatusOK {
		err = fmt.Errorf("the load balancer answered with status %d and named no release", marked.status)
	}
	if err != nil {
		return target.Probe{Problem: err.Error()}, errors.Is(err, errUnreached)
	}
	answer, err := ask(ctx, client, url, host, "")
	if err != nil {
		return target.Probe{Problem: err.Error()}, false
	}
	out = target.Probe{Release: marked.body, StatusCode: answer.status}
	if answer.status >= http.StatusInternalServerError && strings.HasPrefix(answer.server, balancerServer) {
		out.Release, out.Problem = "", fmt.Sprintf("the load balancer answered with status %d: the application did not", answer.status)
	}
	return out, false
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

// ask sends one request for a host; with the name of a slot the load balancer answers it itself.
func ask(ctx context.Context, client *http.Client, url, host, slot string) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return reply{}, err
	}
	r.Host = host
	r.Header.Set("User-Agent", "slipway-probe")
	if slot != "" {
		r.Header.Set(headerProbe, slot)
	}
	answer, err := client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("ask for %s: %w", host, err)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return reply{answer.StatusCode, answer.Header.Get("Server"), string(b)}, errors.Join(err, answer.Body.Close())
}
