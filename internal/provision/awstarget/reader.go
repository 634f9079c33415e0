package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// readerName is the login that plans read the catalogue with. It has no other right: IAM can't
// limit the statements that come with a secret, so the secret must not open more.
const readerName = "slipway_reader"

// server is the cluster, with the rights of its administrator.
func (c dbCluster) server() (server, error) {
	return c.serverAs(c.fact(factDatabaseSecret), administratorConnections)
}

// catalogue is the cluster with the rights to read what is there, and no more.
func (c dbCluster) catalogue() (server, error) { return c.serverAs(c.reader().arn(), 1) }

// serverAs is the cluster as the login sees it whose credentials are in a secret. Direct connections
// are so many at most.
func (c dbCluster) serverAs(secret string, connections int32) (server, error) {
	if secret == "" {
		return server{}, target.Errorf(target.ErrUnavailable, "%s has no database cluster yet: apply again when it is ready", c.key)
	}
	s := server{target: c.target, cluster: c.clients.arn("rds", "cluster:"+c.name)}
	if !c.direct {
		s.carrier = dataAPI{target: c.target, rdsdata: c.clients.rdsdata, cluster: s.cluster, secret: secret}
		return s, nil
	}
	d, err := c.connections(secret, connections)
	s.carrier = d
	return s, err
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
// out of it, and sees to it that it works.
func (c dbCluster) putReader(ctx context.Context) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	if err := c.giveReader(ctx, server, credential.give); err != nil {
		return err
	}
	if err := server.closeMaintenance(ctx); err != nil {
		return err
	}
	if err := c.proveReader(ctx, server); err != nil || !c.direct {
		return err
	}
	return c.closeDataAPI(ctx)
}

// giveReader gives the server the login in one of the ways that a credential has.
func (c dbCluster) giveReader(ctx context.Context, server server, give func(credential, context.Context, apply) error) error {
	err := give(c.reader(), ctx, func(ctx context.Context, role, password string) error {
		reader := accountdb.Account{Name: role, Mark: c.markOf(role), ConnectionLimit: readerConnections, Password: password}
		return server.converge(ctx, role, accountdb.EnsureReader(reader, maintenance))
	})
	if errors.Is(err, accountdb.ErrForeign) {
		return target.Errorf(target.ErrForeign, "%v: it is left as it is", err)
	}
	return err
}

// proveReader tries the login. The server shows nobody whether a password is still the one in the
// secret: one that does not work is given to the server again.
func (c dbCluster) proveReader(ctx context.Context, server server) error {
	unread, err := c.tryReader(ctx)
	if err != nil || len(unread) == 0 {
		return err
	}
	if err := c.giveReader(ctx, server, credential.giveAgain); err != nil {
		return err
	}
	if unread, err = c.tryReader(ctx); err == nil && len(unread) > 0 {
		err = target.Errorf(target.ErrUnavailable, "%s, though the login of plans was made anew", unread[0])
	}
	return err
}

// tryReader says why plans can't read the catalogue, nothing where they can. One that this run has
// read is not tried again.
func (c dbCluster) tryReader(ctx context.Context) (unread []string, err error) {
	if _, read := c.target.catalogues.Load(c.name); read {
		return nil, nil
	}
	_, unread, err = c.lookInto(ctx, readerName)
	return unread, err
}

// mendReader makes the login of plans on the environment's cluster work again. Those account
// databases that are there say in a plan that it does not, so that one of them is put.
func (n *noun) mendReader(ctx context.Context) error {
	c := n.database()
	if c.reader().arn() == "" {
		return nil // it is made with the environment, which is not finished
	}
	unread, err := c.tryReader(ctx)
	if err != nil || len(unread) == 0 {
		return err
	}
	return n.exclusively(ctx, func(ctx context.Context) error { return n.database().putReader(ctx) })
}

// closeDataAPI turns the Data API off, when statements have got there without it.
func (c dbCluster) closeDataAPI(ctx context.Context) error {
	d, err := findDatabase(ctx, c.clients, c.name)
	if err != nil || !aws.ToBool(d.HttpEndpointEnabled) {
		return err
	}
	err = c.target.insist(ctx, fmt.Sprintf("database cluster %q to give up the Data API", c.name), c.free, func(ctx context.Context) error {
		_, err := c.clients.rds.DisableHttpEndpoint(ctx, &rds.DisableHttpEndpointInput{ResourceArn: d.DBClusterArn})
		return err
	})
	return failed(err, "disable the Data API of database cluster %q", c.name)
}

// readerConnections is how many runs may read at once.
const readerConnections = 20
