package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// factEmpty says of a region that is being removed that nothing was in it: from then on its control table
// may be gone.
const factEmpty = "empty"

// control is the control table of a region. Once the region was finished it must be there, until a removal
// has found it empty.
func (t *Target) control(c *clients, region string) table {
	control := c.table(controlName(region))
	control.lost = func(ctx context.Context) error {
		d, err := t.directory(ctx)
		if err != nil {
			return err
		}
		n, rec, err := t.regionNoun(unshared(ctx), d, region)
		switch {
		case errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation):
			return nil
		case err != nil:
			return err
		case !rec.Meta.Ready || n.fact(factEmpty) != "":
			return nil
		}
		return lostTable(ctx, c, region, control.name)
	}
	return control
}

// closed says whether the rows of a table can't be read: it is being restored, made or removed.
func closed(t *types.TableDescription) bool {
	return t.TableStatus == types.TableStatusCreating || t.TableStatus == types.TableStatusDeleting
}

// lostTable is the error of a control table that can't be read, with what to do.
func lostTable(ctx context.Context, c *clients, region, name string) error {
	t, err := findTable(unshared(ctx), c, name)
	what, way := "is gone", fmt.Sprintf("Restore it under this name from the backup that AWS made as it was deleted: aws dynamodb list-backups --region %s --table-name %s --backup-type ALL, then aws dynamodb restore-table-from-backup --region %s --target-table-name %s --backup-arn ARN. Apply again when it is active", c.region, name, c.region, name)
	switch {
	case err == nil && t.TableStatus == types.TableStatusCreating:
		what, way = "is being restored", "Wait until it is active, and try again"
	case err == nil && closed(t):
		what = "is being deleted"
	case err == nil: // it has come back meanwhile
		what, way = "could not be read a moment ago", "Try again"
	case !isAbsent(err):
		return err
	}
	return target.Errorf(target.ErrLost, "the control table %q of region %q in %s %s. All that Slipway knows of the region's environments, databases and slots is in it; they stand and serve, and are left alone. %s", name, region, c.region, what, way)
}
