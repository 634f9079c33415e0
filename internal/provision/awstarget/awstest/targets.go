package awstest

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// States of targets: "Health checks for Application Load Balancer target groups".
const (
	initialTarget   = types.TargetHealthStateEnumInitial
	healthyTarget   = types.TargetHealthStateEnumHealthy
	unhealthyTarget = types.TargetHealthStateEnumUnhealthy
	drainingTarget  = types.TargetHealthStateEnumDraining
	unusedTarget    = types.TargetHealthStateEnumUnused
)

// balancing is what load balancers know of their targets, and how they pass requests on.
// Load balancers, listeners, rules and target groups are moto's.
type balancing struct {
	*cloud
	meters *meters
	start  sync.Once
	// changing is held while moto changes something.
	changing sync.Mutex

	mu      sync.Mutex
	targets map[targetKey]*registered
	// routes are what moto was last asked for, by AWS region, and groups the settings of target
	// groups by ARN. Each change of anything empties them, and counts.
	routes  map[string]*routing
	groups  map[string]*groupSettings
	changes int
	doors   map[string]*door
	// certificates are those that listeners present, by ARN.
	certificates map[string]*tls.Certificate
	transport    *http.Transport
	// order counts the targets that were registered, turn the requests that were passed on.
	order, turn int
}

// targetKey is a target of a target group.
type targetKey struct {
	group, address string
	port           int32
}

// registered is a target and its health.
type registered struct {
	region, zone string
	// order is when it was registered among the others.
	order int
	// reach tells where a port can be reached on this machine.
	reach func(port int32) string

	state         types.TargetHealthStateEnum
	reason        types.TargetHealthReasonEnum
	description   string
	passes, fails int32
	checking      bool
	next          time.Time
	// deregistered and gone are when it began to drain and when it will have drained.
	deregistered, gone time.Time
}

func newBalancing(c *cloud, m *meters) *balancing {
	return &balancing{
		cloud: c, meters: m, targets: map[targetKey]*registered{}, routes: map[string]*routing{}, groups: map[string]*groupSettings{},
		doors: map[string]*door{}, certificates: map[string]*tls.Certificate{}, transport: &http.Transport{},
	}
}

// register begins to check a target.
func (b *balancing) register(region string, k targetKey, zone string, reach func(int32) string) {
	b.start.Do(func() { b.every(b.step) })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order++
	b.targets[k] = &registered{region: region, zone: zone, order: b.order, reach: reach, state: initialTarget, reason: types.TargetHealthReasonEnumRegistrationInProgress, description: "Target registration is in progress"}
}

// deregister lets a target drain. It says whether it had not begun to before.
func (b *balancing) deregister(k targetKey, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.targets[k]
	if m == nil || !m.deregistered.IsZero() {
		return false
	}
	m.deregistered = now
	m.state, m.reason, m.description = drainingTarget, types.TargetHealthReasonEnumDeregistrationInProgress, "Target deregistration is in progress"
	return true
}

// gone says whether none of the targets is left.
func (b *balancing) gone(keys []targetKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !slices.ContainsFunc(keys, func(k targetKey) bool { return b.targets[k] != nil })
}

// state is a target's; "" for one that is not registered.
func (b *balancing) state(k targetKey) types.TargetHealthStateEnum {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.targets[k]; m != nil {
		return m.state
	}
	return ""
}

// of lists the targets of a group in the order of their registration. The lock is held.
func (b *balancing) of(group string) []targetKey {
	var keys []targetKey
	for k := range b.targets {
		if k.group == group {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y targetKey) int { return b.targets[x].order - b.targets[y].order })
	return keys
}

// hosts counts the targets of a group, "targetgroup/NAME/ID", by their health.
func (b *balancing) hosts(group string) (healthy, others int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, m := range b.targets {
		switch {
		case lastResource(k.group) != group:
		case m.state == healthyTarget:
			healthy++
		case m.state == unhealthyTarget:
			others++
		}
	}
	return healthy, others
}

// piece answers DescribeTargetHealth, and notes that something changes.
func (b *balancing) piece(c Call, moto http.Handler) http.Handler {
	switch {
	case c.Service != "elasticloadbalancing":
		return nil
	case c.Operation == "DescribeTargetHealth":
		return b.describeHealth(c, moto)
	case reads(c.Operation):
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// moto does not stand changes at the same time.
		b.changing.Lock()
		defer b.changing.Unlock()
		if err := b.refuses(c); err != nil {
			c.send(w, nil, err)
			return
		}
		defer b.changed(c)
		moto.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

func (b *balancing) changed(c Call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	b.routes, b.groups = map[string]*routing{}, map[string]*groupSettings{}
	if c.Operation == "DeleteTargetGroup" {
		for _, k := range b.of(c.Form.Get("TargetGroupArn")) {
			delete(b.targets, k)
		}
	}
}

// targetHealth is an entry of DescribeTargetHealth's answer.
type targetHealth struct {
	Target struct {
		ID   string `xml:"Id"`
		Port int32
		Zone string `xml:"AvailabilityZone"`
	}
	Port   int32 `xml:"HealthCheckPort"`
	Health struct {
		State       types.TargetHealthStateEnum
		Reason      types.TargetHealthReasonEnum `xml:",omitempty"`
		Description string                       `xml:",omitempty"`
	} `xml:"TargetHealth"`
}

func (b *balancing) describeHealth(c Call, moto http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		if moto.ServeHTTP(answer, r); answer.Code != http.StatusOK {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(mustXML(struct {
			XMLName xml.Name       `xml:"DescribeTargetHealthResponse"`
			Members []targetHealth `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
		}{Members: b.health(c)}))
	})
}

func (b *balancing) health(c Call) []targetHealth {
	asked := map[string]bool{}
	for name, values := range c.Form {
		if strings.HasPrefix(name, "Targets.member.") && strings.HasSuffix(name, ".Id") {
			asked[values[0]] = true
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []targetHealth
	for _, k := range b.of(c.Form.Get("TargetGroupArn")) {
		if len(asked) > 0 && !asked[k.address] {
			continue
		}
		m, h := b.targets[k], targetHealth{Port: k.port}
		h.Target.ID, h.Target.Port, h.Target.Zone = k.address, k.port, m.zone
		h.Health.State, h.Health.Reason, h.Health.Description = m.state, m.reason, m.description
		all = append(all, h)
	}
	return all
}

// groupSettings are those of a target group.
type groupSettings struct {
	types.TargetGroup
	deregistration int32
}

// passes says whether an answer's status is one of the group's: "200", "200,202", "200-299".
func (g *groupSettings) passes(status int) bool {
	codes := "200"
	if g.Matcher != nil {
		codes = aws.ToString(g.Matcher.HttpCode)
	}
	for part := range strings.SplitSeq(codes, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.Atoi(from)
		high, errHigh := strconv.Atoi(to)
		if errLow == nil && errHigh == nil && low <= status && status <= high {
			return true
		}
	}
	return false
}
