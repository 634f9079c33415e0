package awstarget

import (
	"context"
	"testing"
	"time"
)

// RDS is asked again while it is busy. What it is waited for meanwhile may take its time: it may still be busy
// after that.
func TestThatRDSIsBusyIsBorneForAWhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		settles     time.Duration // how long the cluster is not available
		refusals    int
		fails       bool
		least, most time.Duration
	}{
		{"it is not busy", 0, 0, false, 0, 0},
		{"busy for a moment", 0, 3, false, time.Second, time.Minute},
		{"busy for ever", 0, 1 << 30, true, rdsLag, rdsLag + time.Minute},
		{"busy with what it calls available after an upgrade", 20 * time.Minute, 3, false, 20 * time.Minute, 21 * time.Minute},
		{"busy for ever after an upgrade", 20 * time.Minute, 1 << 30, true, 20*time.Minute + rdsLag, 21*time.Minute + rdsLag},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := scripted(t, nil)
			began := n.target.now()
			settle := func(ctx context.Context) error {
				left := c.settles
				c.settles = 0
				return n.target.clock.Sleep(ctx, left)
			}
			err := n.target.insist(t.Context(), "it", settle, func(context.Context) error {
				if c.refusals--; c.refusals >= 0 {
					return refused(busyCluster)
				}
				return nil
			})
			if coded(err, busyCluster) != c.fails || (err != nil) != c.fails {
				t.Errorf("got error %v", err)
			}
			if waited := n.target.now().Sub(began); waited < c.least || waited > c.most {
				t.Errorf("waited for %s, want %s to %s", waited, c.least, c.most)
			}
		})
	}
}
