package awstest

import (
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"sync"
	"time"

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
	// groups by ARN; the changes of both are counted.
	routes                map[string]*routing
	groups                map[string]*groupSettings
	changes, groupChanges int
	// asking is held while moto is asked for routes.
	asking sync.Mutex
	doors  map[string]*door
	nodes  []node
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

// piece answers DescribeTargetHealth, notes that something changes, and keeps certificates that are
// shown.
func (b *balancing) piece(c Call, moto http.Handler) http.Handler {
	switch {
	case c.Service == "acm" && c.Operation == "DeleteCertificate":
		return b.refusal(c, b.refusesCertificate)
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
	group := c.Form.Get("TargetGroupArn")
	switch c.Operation {
	case "AddTags", "RemoveTags", "CreateTargetGroup":
	case "ModifyTargetGroup", "ModifyTargetGroupAttributes":
		b.groupChanges++
		delete(b.groups, group)
	case "DeleteTargetGroup":
		b.groupChanges++
		delete(b.groups, group)
		for _, k := range b.of(group) {
			delete(b.targets, k)
		}
	default:
		b.changes++
	}
}
