package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

const (
	errNoCertificate = "ResourceNotFoundException"
	factCertificate  = "certificate"
)

// findCertificate describes a certificate.
func findCertificate(ctx context.Context, c *clients, arn string) (*types.CertificateDetail, error) {
	out, err := c.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoCertificate), "find certificate %q", arn)
	}
	return out.Certificate, nil
}

// putCertificate requests a certificate for a domain name and every label under it, proves by
// records of Route 53 that the names are ours, and waits until it is issued.
func (n *noun) putCertificate(ctx context.Context, part, domain string) error {
	zone, err := findZone(ctx, n.clients, domain)
	if err != nil {
		return err
	}
	arn, err := n.certificate(ctx, part, domain)
	if err != nil {
		return err
	}
	if err := errors.Join(n.save(ctx, factCertificate, arn), n.requested(ctx, factCertificate)); err != nil {
		return err
	}
	proofs, err := n.proofs(ctx, arn)
	if err != nil {
		return err
	}
	if err := n.upsert(ctx, zone, proofs); err != nil {
		return err
	}
	return n.target.until(ctx, fmt.Sprintf("the certificate of %q", domain), func(ctx context.Context) (status, bool, error) {
		d, err := findCertificate(ctx, n.clients, arn)
		if err != nil {
			return "", false, err
		}
		switch d.Status {
		case types.CertificateStatusFailed, types.CertificateStatusValidationTimedOut, types.CertificateStatusRevoked, types.CertificateStatusExpired:
			// Another one is requested by the next put.
			return status(d.Status), false, errors.Join(fmt.Errorf("certificate %q is %s: %s", arn, d.Status, d.FailureReason), n.save(ctx, factCertificate, ""))
		}
		return status(d.Status), d.Status == types.CertificateStatusIssued, nil
	})
}

// certificate is the ARN of the environment's certificate, requested where there is none. The
// saved token makes AWS answer a repeated request with the first one's certificate for an
// hour; later it is found by its tags.
func (n *noun) certificate(ctx context.Context, part, domain string) (string, error) {
	if arn := n.fact(factCertificate); arn != "" {
		if _, err := findCertificate(ctx, n.clients, arn); !isAbsent(err) {
			return arn, err
		}
	}
	if arn, err := n.certificateByTags(ctx, part, domain); !isAbsent(err) {
		return arn, err
	}
	token, err := n.request(ctx, factCertificate)
	if err != nil {
		return "", err
	}
	out, err := n.clients.acm.RequestCertificate(ctx, &acm.RequestCertificateInput{
		DomainName: &domain, SubjectAlternativeNames: []string{"*." + domain}, ValidationMethod: types.ValidationMethodDns,
		IdempotencyToken: &token,
		Tags:             tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
	})
	if err != nil {
		return "", failed(err, "request a certificate for %q", domain)
	}
	return text(out.CertificateArn), nil
}

func (n *noun) certificateByTags(ctx context.Context, part, domain string) (string, error) {
	pages := acm.NewListCertificatesPaginator(n.clients.acm, &acm.ListCertificatesInput{
		CertificateStatuses: []types.CertificateStatus{types.CertificateStatusPendingValidation, types.CertificateStatusIssued},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", failed(err, "list certificates")
		}
		for _, c := range page.CertificateSummaryList {
			if text(c.DomainName) != domain {
				continue
			}
			out, err := n.clients.acm.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: c.CertificateArn})
			if err != nil {
				return "", failed(err, "read the tags of certificate %q", text(c.CertificateArn))
			}
			if n.ours(part, tagMap(out.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })) {
				return text(c.CertificateArn), nil
			}
		}
	}
	return "", errAbsent
}

// proofs are the records that ACM wants to see, which it tells some seconds after a request.
func (n *noun) proofs(ctx context.Context, arn string) (records []record, err error) {
	err = n.target.until(ctx, fmt.Sprintf("the records of certificate %q", arn), func(ctx context.Context) (status, bool, error) {
		d, err := findCertificate(ctx, n.clients, arn)
		if err != nil {
			return "", false, err
		}
		seen := map[string]bool{}
		records = nil
		for _, o := range d.DomainValidationOptions {
			if o.ResourceRecord == nil {
				return "not told yet", false, nil
			}
			// A name and the wildcard under it have one record together.
			if name := text(o.ResourceRecord.Name); !seen[name] {
				seen[name] = true
				records = append(records, record{name: name, kind: string(o.ResourceRecord.Type), value: text(o.ResourceRecord.Value)})
			}
		}
		return "told", len(records) > 0, nil
	})
	return records, err
}

// checkCertificate says whether the certificate can be used.
func (n *noun) checkCertificate(ctx context.Context) ([]string, error) {
	arn := n.fact(factCertificate)
	if arn == "" {
		return []string{"there is no certificate"}, nil
	}
	d, err := findCertificate(ctx, n.clients, arn)
	switch {
	case isAbsent(err):
		return []string{fmt.Sprintf("certificate %q is gone", arn)}, nil
	case err == nil && d.Status != types.CertificateStatusIssued:
		return []string{fmt.Sprintf("certificate %q is %s", arn, d.Status)}, nil
	}
	return nil, err
}

// deleteCertificate removes the certificate with its records. A listener may still be seen
// to use it for a while.
func (n *noun) deleteCertificate(ctx context.Context, part, domain string) error {
	arn := n.fact(factCertificate)
	if arn == "" {
		var err error
		if arn, err = n.certificateByTags(ctx, part, domain); err != nil {
			return gone(err)
		}
	}
	if d, err := findCertificate(ctx, n.clients, arn); err != nil {
		return gone(err)
	} else if err := n.removeProofs(ctx, d, domain); err != nil {
		return err
	}
	return n.target.until(ctx, fmt.Sprintf("the end of certificate %q", arn), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.acm.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: &arn})
		if coded(err, "ResourceInUseException") {
			return "in use", false, nil
		}
		return "gone", true, failed(gone(err, errNoCertificate), "delete certificate %q", arn)
	})
}

func (n *noun) removeProofs(ctx context.Context, d *types.CertificateDetail, domain string) error {
	zone, err := findZone(ctx, n.clients, domain)
	if err != nil {
		return nil // without the zone there are no records
	}
	seen := map[string]bool{}
	for _, o := range d.DomainValidationOptions {
		if o.ResourceRecord == nil || seen[text(o.ResourceRecord.Name)] {
			continue
		}
		seen[text(o.ResourceRecord.Name)] = true
		r := record{name: text(o.ResourceRecord.Name), kind: string(o.ResourceRecord.Type), value: text(o.ResourceRecord.Value)}
		if err := n.removeRecord(ctx, zone, r.name, r.kind); err != nil {
			return err
		}
	}
	return nil
}
