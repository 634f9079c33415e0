package awstarget

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	_ target.Driver     = (*Target)(nil)
	_ target.LateMeters = (*Target)(nil)
	_ target.Locations  = (*Target)(nil)
	_ target.Paced      = (*Target)(nil)
	_ target.Rooms      = (*Target)(nil)
	_ target.Sites      = (*Target)(nil)
	_ target.Tagging    = (*Target)(nil)
)

// Target is one installation on AWS as one run of the provider sees it. It connects when it is
// first used and is safe for concurrent use.
type Target struct {
	session *session
	clock   wait.Clock
	pace    wait.Options
	// lead is how long before its time a scheduled action must be set; half of it is how exact
	// it is.
	lead   time.Duration
	period time.Duration // that the load balancer counts by
	// dialDatabase connects to a database cluster.
	dialDatabase func(ctx context.Context, network, address string) (net.Conn, error)
	// held are the leases of slots that this run has: what it sees of them it may note.
	held sync.Map // target.Lease by target.SlotID
	tags map[string]string
	// keepTags says that tags are not the provider's: Settings.KeepDefaultTags.
	keepTags bool
	where    string
	places   sync.Map // place by the name of a region
	texts    sync.Map // readTexts by what names a secret
	// What is asked again and again: the entrances of environments, the rules of listeners, what
	// scales services, the health of target groups, and what they answered.
	entered lately[entrances]
	ruled   lately[[]listenerRule]
	scaled  lately[scalingSeen]
	// What target groups are, by what was asked for, and their attributes.
	grouped    lately[map[string]elbtypes.TargetGroup]
	attributes lately[map[string]string]
	tagged     lately[map[string]map[string]string]
	health     lately[map[string]targetHealth]
	measured   lately[map[target.Color]target.Measurement]
	// databases are the lists of account databases that this run has read, catalogues the names of
	// the clusters whose catalogue it could read, pools its connections to database clusters.
	databases  accountdb.Lists
	catalogues sync.Map
	pools      pools
}

// New makes a target. It touches nothing.
func New(s Settings, o Options) *Target {
	if o.Clock == nil {
		o.Clock = wait.Real{}
	}
	// Describe calls of a service share a small allowance.
	pace := wait.Options{First: time.Second, Max: 10 * time.Second, Clock: o.Clock}
	if o.Pace > 0 {
		pace.First, pace.Max = o.Pace, o.Pace
	}
	if o.ScheduleLead == 0 {
		o.ScheduleLead = 2 * time.Minute
	}
	if o.MeterPeriod == 0 {
		o.MeterPeriod = time.Minute
	}
	if o.DialDatabase == nil {
		o.DialDatabase = new(net.Dialer).DialContext
	}
	return &Target{session: newSession(s, o, pace), clock: o.Clock, pace: pace, lead: o.ScheduleLead, period: o.MeterPeriod, dialDatabase: o.DialDatabase, tags: s.DefaultTags, keepTags: s.KeepDefaultTags, where: where(s)}
}

// where names what the settings lead to, without asking AWS.
func where(s Settings) string {
	out := "AWS"
	for _, part := range []struct{ what, value string }{{"profile", s.Profile}, {"home region", s.Region}} {
		if part.value != "" {
			out += fmt.Sprintf(", %s %s", part.what, part.value)
		}
	}
	for _, r := range s.AssumeRole {
		out += ", role " + r.RoleARN
	}
	return out
}

// Where implements target.Installations.
func (t *Target) Where() string { return t.where }

// LookEvery implements target.Paced: a load balancer checks every five seconds at most.
func (t *Target) LookEvery() time.Duration { return 2 * t.pace.First }

func (t *Target) now() time.Time { return t.clock.Now().UTC() }

// until waits for something of AWS. Awaited completes the sentence "wait for …".
func (t *Target) until(ctx context.Context, awaited string, observe func(context.Context) (status, bool, error)) error {
	if _, err := wait.Until(ctx, t.pace, observe); err != nil {
		return fmt.Errorf("wait for %s: %w", awaited, err)
	}
	return nil
}

// status is a state as AWS calls it.
type status string

func (s status) String() string { return string(s) }
