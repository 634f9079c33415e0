package awstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// dialDatabase connects to the endpoint of a database cluster, if a security group of its lets
// blocks of addresses in. To others it does not answer.
func (a *Account) dialDatabase(ctx context.Context, host, port string) (net.Conn, error) {
	labels := strings.Split(host, ".") // NAME.cluster-ID.REGION.rds.amazonaws.com
	if len(labels) != 6 || port != "5432" {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	in, err := a.letsIn(ctx, labels[2], labels[0])
	if err != nil {
		return nil, err
	}
	if !in {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
	e, err := a.databases.emulated(ctx, labels[2], a.cloud.moto, labels[0])
	if err != nil {
		return nil, err
	}
	if e.host != host {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	address, err := a.open(e)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// letsIn says whether the security groups of a cluster let anybody in by address.
func (a *Account) letsIn(ctx context.Context, region, name string) (bool, error) {
	config := a.cloud.config(region)
	clusters, err := rds.NewFromConfig(config).DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &name})
	if err != nil {
		return false, err
	}
	var ids []string
	for _, g := range clusters.DBClusters[0].VpcSecurityGroups {
		ids = append(ids, aws.ToString(g.VpcSecurityGroupId))
	}
	groups, err := ec2.NewFromConfig(config).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: ids})
	if err != nil {
		return false, err
	}
	for _, g := range groups.SecurityGroups {
		for _, p := range g.IpPermissions {
			if len(p.IpRanges) > 0 && aws.ToInt32(p.FromPort) <= 5432 && aws.ToInt32(p.ToPort) >= 5432 {
				return true, nil
			}
		}
	}
	return false, nil
}

// open begins to listen for a cluster when it is first asked for.
func (a *Account) open(e *emulated) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.address != "" {
		return e.address, nil
	}
	certificate, err := certificateFor(e.host)
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	e.address = l.Addr().String()
	running := a.cloud.running
	context.AfterFunc(running, func() { _ = l.Close() })
	a.cloud.goroutines.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.cloud.goroutines.Go(func() { e.serve(running, c, certificate) })
		}
	})
	return e.address, nil
}

func certificateFor(names ...string) (*tls.Certificate, error) {
	a, err := issuer()
	if err != nil {
		return nil, err
	}
	return a.issue(names)
}

// Certificate is one for names, of the authority of all accounts.
func Certificate(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	c, err := certificateFor(names...)
	if err != nil {
		t.Fatal(err)
	}
	return *c
}

// Rotate gives the administrator of a database cluster another password, as RDS does every week.
// It may fail to tell the secret.
func (a *Account) Rotate(ctx context.Context, region, name string, tell bool) error {
	e, err := a.databases.emulated(ctx, region, a.cloud.moto, name)
	if err != nil {
		return err
	}
	next := secret{Username: e.master, Password: rand.Text()}
	value, err := json.Marshal(next)
	if err == nil {
		err = e.server.execute(ctx, "ALTER ROLE "+pgx.Identifier{e.name(e.master)}.Sanitize()+" PASSWORD "+quoted(next.Password))
	}
	if err == nil && tell {
		_, err = secretsmanager.NewFromConfig(a.cloud.config(region)).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &e.managed, SecretString: aws.String(string(value))})
	}
	return err
}

// serve takes a client to the shared server, with the names that the cluster has there. Who
// comes without TLS is turned away (rds.force_ssl).
func (e *emulated) serve(ctx context.Context, c net.Conn, certificate *tls.Certificate) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	first, err := pgproto3.NewBackend(c, c).ReceiveStartupMessage()
	if _, encrypts := first.(*pgproto3.SSLRequest); err != nil || !encrypts {
		return
	}
	if _, err := c.Write([]byte("S")); err != nil {
		return
	}
	client := tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*certificate}})
	second, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
	startup, ok := second.(*pgproto3.StartupMessage)
	if err != nil || !ok {
		return
	}
	for _, of := range []string{"user", "database"} {
		startup.Parameters[of] = e.name(startup.Parameters[of])
	}
	server, err := e.server.dial(ctx)
	if err != nil {
		return
	}
	defer server.Close()
	hello, err := startup.Encode(nil)
	if err == nil {
		_, err = server.Write(hello)
	}
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = pump(server, client, e.asked)
		_ = server.Close()
	}()
	_ = pump(client, server, e.answered)
	_ = c.Close()
	<-done
}

// pump passes messages on until one side has had enough.
func pump(to io.Writer, from io.Reader, change func(kind byte, body []byte) ([]byte, error)) error {
	head := make([]byte, 5) // a letter, and the length with itself
	for {
		if _, err := io.ReadFull(from, head); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return err
		}
		body, err := change(head[0], body)
		if err != nil {
			return err
		}
		message := binary.BigEndian.AppendUint32(head[:1:1], uint32(len(body))+4)
		if _, err := to.Write(append(message, body...)); err != nil {
			return err
		}
	}
}

// asked is a message of a client. Statements come one message each: only the simple protocol is
// translated.
func (e *emulated) asked(kind byte, body []byte) ([]byte, error) {
	switch kind {
	case 'Q':
		return []byte(e.outward(string(body))), nil
	case 'P':
		return nil, errors.New("the extended protocol is not emulated")
	}
	return body, nil
}

// answered is a message of the server.
func (e *emulated) answered(kind byte, body []byte) ([]byte, error) {
	switch kind {
	case 'E', 'N':
		return bytes.ReplaceAll(body, []byte(e.suffix), nil), nil
	case 'D':
		var row pgproto3.DataRow
		if err := row.Decode(body); err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		for i, v := range row.Values {
			if v != nil {
				row.Values[i] = []byte(e.inward(string(v)))
			}
		}
		whole, err := row.Encode(nil)
		return whole[5:], err
	}
	return body, nil
}
