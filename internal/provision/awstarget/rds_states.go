package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	stopped = "stopped"

	busyCluster  = "InvalidDBClusterStateFault"
	busyInstance = "InvalidDBInstanceState"
)

// rdsBusy are the codes of RDS for what is just being made, changed or used.
var rdsBusy = []string{
	busyCluster, busyInstance, "InvalidResourceStateFault",
	"InvalidDBParameterGroupState", "InvalidDBSubnetGroupStateFault", "InvalidDBSubnetStateFault",
}

// rdsLag is how long RDS may be busy with what it calls available, or not show what it has taken.
const rdsLag = 5 * time.Minute

// insist asks RDS for something, and again for rdsLag while it is refused with one of these codes: by
// default, that RDS is busy. Settle is done before it is asked again, and takes its own time; nil for nothing.
func (t *Target) insist(ctx context.Context, awaited string, settle, do func(context.Context) error, codes ...string) error {
	if len(codes) == 0 {
		codes = rdsBusy
	}
	last, refused := t.now().Add(rdsLag), false
	return t.while(ctx, awaited, func(outcome error) bool {
		refused = coded(outcome, codes...) && t.now().Before(last)
		return refused
	}, func(ctx context.Context) error {
		if refused && settle != nil {
			began := t.now()
			if err := settle(ctx); err != nil {
				return err
			}
			last = last.Add(t.now().Sub(began))
		}
		return do(ctx)
	})
}

// wait waits until the cluster is available, and says what it is then.
func (c dbCluster) wait(ctx context.Context) (d *types.DBCluster, err error) {
	err = c.target.until(ctx, fmt.Sprintf("database cluster %q", c.name), func(ctx context.Context) (status, bool, error) {
		if d, err = findDatabase(ctx, c.clients, c.name); err != nil {
			return "", false, err
		}
		return status(text(d.Status)), text(d.Status) == available, c.stuck(text(d.Status))
	})
	return d, err
}

// free waits until the cluster can be changed.
func (c dbCluster) free(ctx context.Context) error {
	_, err := c.wait(ctx)
	return err
}

// changed waits until the cluster is what it was asked to be, and says what it is then. For a while RDS
// calls one available that it has not begun to change. What it does not show in rdsLag is told as drift.
func (c dbCluster) changed(ctx context.Context) (d *types.DBCluster, err error) {
	last := c.target.now().Add(rdsLag)
	err = c.target.until(ctx, fmt.Sprintf("the change of database cluster %q", c.name), func(ctx context.Context) (status, bool, error) {
		if d, err = findDatabase(ctx, c.clients, c.name); err != nil {
			return "", false, err
		}
		if text(d.Status) != available {
			last = c.target.now().Add(rdsLag)
			return status(text(d.Status)), false, c.stuck(text(d.Status))
		}
		drift := c.drift(d)
		return status(strings.Join(drift, "; ")), len(drift) == 0 || !c.target.now().Before(last), nil
	})
	return d, err
}

// stuck says what to do about a cluster whose state it does not leave by itself; nil for other states
// (Viewing DB cluster status).
func (c dbCluster) stuck(state string) error {
	const inaccessible = "inaccessible-encryption-credentials"
	start := fmt.Sprintf(`start it with "aws rds start-db-cluster --region %s --db-cluster-identifier %s", and apply again when it is available`, c.clients.region, c.name)
	switch state {
	case stopped:
		return target.Errorf(target.ErrUnavailable, "database cluster %q is stopped: %s", c.name, start)
	case inaccessible + "-recoverable":
		return target.Errorf(target.ErrUnavailable, "database cluster %q can't use its KMS key: enable the key, or cancel its deletion; then %s", c.name, start)
	case inaccessible, "cloning-failed", "migration-failed":
		return target.Errorf(target.ErrUnavailable, "database cluster %q is %q, which RDS can't mend: its data is only in its snapshots and backups, see its events in the RDS console", c.name, state)
	}
	return nil
}

// stuckInstance does so about an instance (Viewing DB instance status). Its data is the cluster's.
func (c dbCluster) stuckInstance(name, state string) error {
	switch {
	case state == stopped:
		return c.stuck(stopped)
	case strings.HasPrefix(state, "incompatible-"), slices.Contains([]string{"failed", "insufficient-capacity", "restore-error"}, state):
		return target.Errorf(target.ErrUnavailable, `database instance %q is %q, and does not get available by itself: see its events in the RDS console for the reason; then delete it with "aws rds delete-db-instance --region %s --db-instance-identifier %s", and apply again, which makes it anew`, name, state, c.clients.region, name)
	}
	return nil
}
