package awstarget_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// slowRDS answers descriptions as RDS does: for a while after a change they show what was before it, and then
// a state of its own.
type slowRDS struct {
	next http.RoundTripper

	mu sync.Mutex
	// seen is the last description of the clusters, stale how often it is yet to come.
	seen  []byte
	stale int
	// states are what cluster and instances are said to be next, instead of available.
	cluster, instance []string
	changes           int
}

var (
	clusterState  = regexp.MustCompile(`<Status>available</Status>`)
	instanceState = regexp.MustCompile(`<DBInstanceStatus>available</DBInstanceStatus>`)
	// unmade is what a cluster that is being created does not show.
	unmade = regexp.MustCompile(`(?s)<MasterUserSecret>.*?</MasterUserSecret>|<Endpoint>[^<]*</Endpoint>|<HttpEndpointEnabled>[^<]*</HttpEndpointEnabled>`)
)

func (s *slowRDS) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	answer, err := s.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form := string(sent); {
	case strings.HasPrefix(form, "Action=CreateDBCluster&"):
		s.cluster = []string{"creating", "creating", "creating"}
	case strings.HasPrefix(form, "Action=ModifyDBCluster&"):
		s.stale, s.cluster, s.changes = 2, []string{"modifying", "modifying"}, s.changes+1
	case strings.HasPrefix(form, "Action=DescribeDBClusters&"):
		return s.describe(answer)
	case strings.HasPrefix(form, "Action=DescribeDBInstances&") && len(s.instance) > 0:
		body, err := io.ReadAll(answer.Body)
		return replace(answer, instanceState.ReplaceAll(body, []byte("<DBInstanceStatus>"+s.instance[0]+"</DBInstanceStatus>"))), err
	}
	return answer, nil
}

func (s *slowRDS) describe(answer *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(answer.Body)
	switch {
	case s.stale > 0:
		s.stale--
		body = s.seen
	case len(s.cluster) > 0:
		body = clusterState.ReplaceAll(body, []byte("<Status>"+s.cluster[0]+"</Status>"))
		if s.cluster[0] == "creating" {
			body = unmade.ReplaceAll(body, nil)
		}
		s.cluster = s.cluster[1:]
	default:
		s.seen = body
	}
	return replace(answer, body), err
}

// replace gives an answer another body.
func replace(answer *http.Response, body []byte) *http.Response {
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer
}

// RDS is busy, shows late what it was asked for, and calls used what is so no more; clusters and instances
// come into states that they don't leave by themselves.
func TestADatabaseClusterIsWaitedFor(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	slow := &slowRDS{next: l.Transport()}
	calls, clock := awstest.NewCalls(slow), &impatient{Fake: wait.NewFake(time.Now()), lab: l}
	clock.dead = calls.Dead
	d := l.client(t, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Clock, o.Pace = clock, 10*time.Second
		o.Transport = func(http.RoundTripper) http.RoundTripper { return calls }
	})
	const cluster, instance, group = "InvalidDBClusterStateFault", "InvalidDBInstanceState", "InvalidDBParameterGroupState"
	if _, err := d.PutRegion(ctx, eu, mine); err != nil {
		t.Fatal(err)
	}
	s, e := &spoiler{ctx, l, t}, environment(t, eu.Name, "production")
	e.AWS.Database.Instances = 2
	calls.Refuse(2, map[string]string{"CreateDBInstance": cluster, "ModifyDBClusterParameterGroup": group})
	if _, err := d.PutEnvironment(ctx, e, mine); err != nil {
		t.Fatal(err)
	}

	made := s.cluster()
	name := made.DBClusterIdentifier
	s.do(s.rds().DisableHttpEndpoint(ctx, &rds.DisableHttpEndpointInput{ResourceArn: made.DBClusterArn}))
	zones := map[string]bool{}
	for _, m := range made.DBClusterMembers {
		out, err := s.rds().DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: m.DBInstanceIdentifier})
		if err != nil {
			t.Fatal(err)
		}
		zones[aws.ToString(out.DBInstances[0].AvailabilityZone)] = true
		s.do(s.rds().ModifyDBInstance(ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: m.DBInstanceIdentifier, PubliclyAccessible: aws.Bool(true), ApplyImmediately: aws.Bool(true)}))
	}
	if len(zones) != 2 {
		t.Errorf("two instances are in the zones %v", zones)
	}
	e.AWS.Database.Instances = 1
	e.AWS.Database.MaxCapacity = 8
	calls.Refuse(2, map[string]string{"ModifyDBCluster": cluster, "EnableHttpEndpoint": "InvalidResourceStateFault", "ModifyDBInstance": instance, "DeleteDBInstance": cluster})
	rec, err := d.PutEnvironment(ctx, e, again)
	if err != nil || rec.Meta.Problem != "" || slow.changes != 1 || len(slow.cluster) > 0 {
		t.Fatalf("the cluster was changed %d times, %q is yet to come, problem %q, error %v", slow.changes, slow.cluster, rec.Meta.Problem, err)
	}

	stuck := func(what string, do func() error) {
		t.Helper()
		if err := do(); !errors.Is(err, target.ErrUnavailable) {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	put := func() error { return second(d.PutEnvironment(ctx, e, target.PutOptions{Owner: "me", IfGeneration: 2})) }
	remove := func() error { return d.DeleteEnvironment(ctx, e.ID()) }
	slow.instance = []string{"incompatible-network"}
	stuck("an instance without a network", put)
	slow.instance = nil
	s.do(s.rds().StopDBCluster(ctx, &rds.StopDBClusterInput{DBClusterIdentifier: name}))
	stuck("a cluster that is stopped", put)
	calls.Refuse(1<<30, map[string]string{"DeleteDBCluster": cluster})
	stuck("the end of a cluster that is stopped", remove)
	s.do(s.rds().StartDBCluster(ctx, &rds.StartDBClusterInput{DBClusterIdentifier: name}))

	s.do(s.rds().ModifyDBCluster(ctx, &rds.ModifyDBClusterInput{DBClusterIdentifier: name, DeletionProtection: aws.Bool(true), ApplyImmediately: aws.Bool(true)}))
	slow.cluster = slices.Repeat([]string{"stopped"}, 100)
	calls.Refuse(1<<30, map[string]string{"ModifyDBCluster": cluster})
	stuck("the end of a cluster that is stopped and protected", remove)
	slow.cluster = nil
	calls.Refuse(2, map[string]string{
		"DeleteDBCluster":               "InvalidParameterCombination",
		"DeleteDBClusterParameterGroup": group, "DeleteDBSubnetGroup": "InvalidDBSubnetGroupStateFault",
	})
	if err := remove(); err != nil {
		t.Error(err)
	}
	if left := words(l.built(t, home)); strings.Contains(left, "database") {
		t.Errorf("there is %s", left)
	}
}
