package awstest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// authority issues the certificates of Certificate Manager in this test binary.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

var issuer = sync.OnceValues(func() (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of the tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	return authority{parsed, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, err
})

// issue makes a certificate for names.
func (a authority) issue(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// presented is the certificate of a listener, for the names that it was asked of Certificate
// Manager for.
func (b *balancing) presented(name, port string) (*tls.Certificate, error) {
	e, err := b.entrance(name, port)
	if err != nil {
		return nil, err
	}
	if len(e.Certificates) == 0 {
		return nil, fmt.Errorf("the listener has no certificate")
	}
	arn := e.Certificates[0].CertificateArn
	b.mu.Lock()
	known := b.certificates[*arn]
	b.mu.Unlock()
	if known != nil {
		return known, nil
	}
	region := strings.Split(*arn, ":")[3]
	out, err := acm.NewFromConfig(b.config(region)).DescribeCertificate(b.running, &acm.DescribeCertificateInput{CertificateArn: arn})
	if err != nil {
		return nil, err
	}
	a, err := issuer()
	if err != nil {
		return nil, err
	}
	issued, err := a.issue(append([]string{aws.ToString(out.Certificate.DomainName)}, out.Certificate.SubjectAlternativeNames...))
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.certificates[*arn] = issued
	return issued, nil
}

// resolve finds the load balancer that a name is an alias of: an exact record comes before a
// wildcard.
func (c *cloud) resolve(ctx context.Context, host string) (string, error) {
	if strings.HasSuffix(host, ".elb.amazonaws.com") {
		return host, nil
	}
	client := route53.NewFromConfig(c.config("us-east-1"))
	zones, err := client.ListHostedZones(ctx, nil)
	if err != nil {
		return "", err
	}
	_, parent, _ := strings.Cut(host, ".")
	found := ""
	for _, z := range zones.HostedZones {
		if !strings.HasSuffix(host+".", "."+aws.ToString(z.Name)) {
			continue
		}
		records, err := client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id})
		if err != nil {
			return "", err
		}
		for _, r := range records.ResourceRecordSets {
			name := strings.TrimSuffix(strings.ReplaceAll(aws.ToString(r.Name), `\052`, "*"), ".")
			if r.Type != route53types.RRTypeA || r.AliasTarget == nil || name != host && name != "*."+parent {
				continue
			}
			alias := strings.TrimPrefix(strings.TrimSuffix(aws.ToString(r.AliasTarget.DNSName), "."), "dualstack.")
			if name == host || found == "" {
				found = alias
			}
		}
	}
	if found == "" {
		return "", fmt.Errorf("lookup %s: no such host", host)
	}
	return found, nil
}
