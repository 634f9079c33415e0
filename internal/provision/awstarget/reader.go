package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// readerName is the login that plans read the catalogue with. It has no other right: IAM can't
// limit the statements that come with a secret, so the secret must not open more.
const readerName = "slipway_reader"

// reader is the login. The name of its secret is not under that of the environment's, so that
// one policy can name the readers of all environments and nothing else.
func (n *noun) reader() credential {
	return credential{
		n: n, part: partReader, name: "slipway-reader/" + n.region + "/" + n.environment + "/database", version: "1", roles: []string{readerName},
		login: accessSecret{
			Engine: "postgres", Host: n.fact(factDatabaseHost), Port: postgresPort, DBName: maintenance, Cluster: n.databaseName(),
		},
	}
}

// readerPart is the login of plans on the environment's cluster.
func (n *noun) readerPart() part {
	login := n.reader()
	return part{
		name: partReader, needs: []string{partDatabase},
		put: n.putReader,
		// The login itself is not tried: that would wake a cluster that is paused. A list of
		// account databases tries it.
		check: func(ctx context.Context) ([]string, error) {
			_, err := findSecret(ctx, n.clients, login.name)
			if isAbsent(err) {
				return []string{fmt.Sprintf("secret %q is gone", login.name)}, nil
			}
			return nil, err
		},
		delete: func(ctx context.Context) error { return n.deleteSecret(ctx, partReader, login.name) },
	}
}

// putReader makes the login, which is let into the maintenance database before others are kept
// out of it.
func (n *noun) putReader(ctx context.Context) error {
	server, err := n.server()
	if err != nil {
		return err
	}
	err = n.reader().give(ctx, func(ctx context.Context, role, password string) error {
		reader := accountdb.Account{Name: role, Mark: n.markOf(role), ConnectionLimit: readerConnections, Password: password}
		return server.converge(ctx, role, accountdb.EnsureReader(reader, maintenance))
	})
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	if err != nil {
		return err
	}
	return server.closeMaintenance(ctx)
}

// closeMaintenance keeps all other roles out of the maintenance databases, as far as they are
// the administrator's: those of RDS stay as RDS made them.
func (d dataAPI) closeMaintenance(ctx context.Context) error {
	open, err := d.execute(ctx, accountdb.OpenMaintenance, "")
	if err != nil {
		return fmt.Errorf("find maintenance databases: %w", err)
	}
	for _, record := range open {
		name, err := textField(record)
		if err == nil {
			_, err = d.execute(ctx, accountdb.CloseDatabase(name), "")
		}
		if gone(err, errDatabase) != nil {
			return fmt.Errorf("close maintenance database: %w", err)
		}
	}
	return nil
}

// readerConnections is how many plans may read at once.
const readerConnections = 10
