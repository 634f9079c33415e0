package awstarget

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// bundleURL is where AWS has the certificates of RDS's authorities (Using SSL/TLS to encrypt a
// connection to a DB cluster).
const bundleURL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"

// databaseRoots are whose certificates database clusters may have: those of the system, and those
// in the bundle where there is one.
func (s Settings) databaseRoots() (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if s.DatabaseCABundle == "" {
		return roots, nil
	}
	content, err := os.ReadFile(expanded(s.DatabaseCABundle))
	if err != nil {
		return nil, fmt.Errorf("read the bundle of certificates: %w", err)
	}
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("file %q holds no certificate in PEM: expected that of %s", s.DatabaseCABundle, bundleURL)
	}
	return roots, nil
}

// databaseTLS wants a certificate of the host's own name that a known authority has signed, as
// sslmode=verify-full does.
func (s Settings) databaseTLS(host string) (*tls.Config, error) {
	roots, err := s.databaseRoots()
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, err
}

// errRefusedLogin is errNoLogin of a secret that holds one. RDS may just be changing it.
var errRefusedLogin = fmt.Errorf("%w: %w", errNoLogin, target.ErrUnavailable)

// unreachable says what was tried, and what to do, where there is no connection.
func (d direct) unreachable(err error) error {
	var connecting *pgconn.ConnectError
	if !errors.As(err, &connecting) {
		return err
	}
	c, at := d.cluster, net.JoinHostPort(d.cluster.host(), fmt.Sprint(postgresPort))
	var name x509.HostnameError
	var certificate *tls.CertificateVerificationError
	var said *pgconn.PgError
	switch {
	case errors.As(err, &name):
		return target.Errorf(target.ErrInvalid, "database cluster %q: whoever answers at %s shows a certificate of another name (%v). No password was sent. Find out who it is: a proxy in between, or a wrong answer of the DNS", c.name, at, name)
	case errors.As(err, &certificate):
		return target.Errorf(target.ErrInvalid, "database cluster %q: the certificate that %s shows can't be trusted (%v); known are the authorities of the system and those in %q, which is the provider's aws.database_ca_bundle. No password was sent. Get the bundle anew from %s; if that changes nothing, find out who answers there", c.name, at, certificate.Err, c.target.session.settings.DatabaseCABundle, bundleURL)
	case errors.As(err, &said) && sqlState(err, stateWrongPassword, stateNotAuthorized, stateNoRight):
		return target.Errorf(errRefusedLogin, "database cluster %q refuses the login of secret %s, which was read again (%s). Where RDS is just changing the password, apply again; else compare the role with the secret", c.name, d.secret, said.Message)
	case errors.As(err, &said) && sqlState(err, stateTooManyClients):
		return target.Errorf(target.ErrUnavailable, "database cluster %q takes no further connection (%s). Apply again when other runs have ended", c.name, said.Message)
	case errors.As(err, &said):
		return err
	}
	from := "the VPC"
	if len(c.letIn) > 0 {
		from = strings.Join(c.letIn, ", ")
	}
	return target.Errorf(target.ErrUnavailable, "database cluster %q can't be reached from here: tried %s (%v). With aws.database.access = %q it is reached over the network, and its security group lets in %s. Run Terraform there, or where a VPN or a peering leads to the database subnets, and name its addresses in aws.database.cidr_blocks; or set access = %q where the location has the Data API",
		c.name, at, errors.Unwrap(connecting), target.AccessDirect, from, target.AccessDataAPI)
}
