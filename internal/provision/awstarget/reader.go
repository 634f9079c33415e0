package awstarget

import (
	"context"
	"errors"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// readerName is the login that plans read the catalogue with. It has no other right: IAM can't
// limit the statements that come with a secret, so the secret must not open more.
const readerName = "slipway_reader"

// server is the cluster, with the rights of its administrator.
func (c dbCluster) server() (server, error) { return c.serverAs(c.fact(factDatabaseSecret)) }

// catalogue is the cluster with the rights to read what is there, and no more.
func (c dbCluster) catalogue() (server, error) { return c.serverAs(c.reader().arn()) }

// serverAs is the cluster as the login sees it whose credentials are in a secret.
func (c dbCluster) serverAs(secret string) (server, error) {
	if secret == "" {
		return server{}, target.Errorf(target.ErrUnavailable, "%s has no database cluster yet: apply again when it is ready", c.key)
	}
	arn := c.clients.arn("rds", "cluster:"+c.name)
	return server{
		carrier: dataAPI{target: c.target, rdsdata: c.clients.rdsdata, cluster: arn, secret: secret}, target: c.target, cluster: arn,
	}, nil
}

// host is the name of whichever instance writes; "" before the cluster is there.
func (c dbCluster) host() string { return c.fact(factDatabaseHost) }

// reader is the login. The name of its secret is not under that of the environment's, so that
// one policy can name the readers of all clusters and nothing else.
func (c dbCluster) reader() credential {
	path := "slipway-reader/" + c.region + "/" + c.environment + "/"
	if c.account != "" {
		path += c.account + "/"
	}
	return credential{
		n: c.noun, part: partReader, name: path + "database", version: "1", roles: []string{readerName},
		login: accessSecret{
			Engine: "postgres", Host: c.host(), Port: postgresPort, DBName: maintenance, Cluster: c.name,
		},
	}
}

// readerPart is the login of plans on the environment's cluster.
func (n *noun) readerPart() part {
	login := n.database().reader()
	return part{
		name: partReader, needs: []string{partDatabase},
		put: func(ctx context.Context) error { return n.database().putReader(ctx) },
		// The login itself is not tried: that would wake a cluster that is paused. A list of
		// account databases tries it.
		check:  login.drift,
		delete: func(ctx context.Context) error { return n.deleteSecret(ctx, partReader, login.name) },
	}
}

// putReader makes the login, which is let into the maintenance database before others are kept
// out of it.
func (c dbCluster) putReader(ctx context.Context) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	err = c.reader().give(ctx, func(ctx context.Context, role, password string) error {
		reader := accountdb.Account{Name: role, Mark: c.markOf(role), ConnectionLimit: readerConnections, Password: password}
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

// readerConnections is how many plans may read at once.
const readerConnections = 10
