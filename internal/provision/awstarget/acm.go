package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	errNoCertificate = "ResourceNotFoundException"
	// factCertificate is the certificate that the entrances show, factCertificateMade the one that
	// was made, for a domain name and a zone, and factCertificatesOld those that it replaced.
	factCertificate     = "certificate"
	factCertificateMade = "certificate_made"
	factCertificateFor  = "certificate_for"
	factCertificatesOld = "certificates_old"
)

// findCertificate describes a certificate.
func findCertificate(ctx context.Context, c *clients, arn string) (*types.CertificateDetail, error) {
	out, err := c.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoCertificate), "find certificate %q", arn)
	}
	return out.Certificate, nil
}

// putCertificate sees to the certificate of the entrances: the one that is given, else one for
// the domain name and every label under it. That the names are ours is proved by records of
// Route 53. What it replaces stays until no entrance uses it any more.
func (n *noun) putCertificate(ctx context.Context, part string, e target.Environment) error {
	if given := settingsOf(e).CertificateARN; given != "" {
		if err := n.retireCertificate(ctx, given); err != nil {
			return err
		}
		return n.save(ctx, factCertificate, given)
	}
	zone, err := n.zoneOf(ctx, e)
	if err != nil {
		return err
	}
	is := e.DomainName + "@" + zone
	if was := n.fact(factCertificateFor); was != is {
		if err := n.retireCertificate(ctx, ""); err != nil {
			return err
		}
		if err := n.save(ctx, factCertificateFor, is); err != nil {
			return err
		}
	}
	arn, err := n.certificate(ctx, part, e.DomainName)
	if err != nil {
		return err
	}
	if err := n.keepCertificate(ctx, e.DomainName, arn); err != nil {
		return err
	}
	// What ACM knows of a new one it does not tell for some seconds (DescribeCertificate).
	err = n.target.appearing(ctx, fmt.Sprintf("certificate %q", arn), func(ctx context.Context) error {
		if err := n.retagCertificate(ctx, part, arn); err != nil {
			return err
		}
		return n.prove(ctx, arn, zone)
	})
	if err != nil {
		return err
	}
	if err := n.waitCertificate(ctx, arn, e.DomainName, zone); err != nil {
		return err
	}
	return n.save(ctx, factCertificate, arn)
}

// waitCertificate waits until ACM has seen the proofs, which it looks for as everybody does: by the name servers
// that the domain above names.
func (n *noun) waitCertificate(ctx context.Context, arn, domain, zone string) error {
	return n.target.until(ctx, fmt.Sprintf("the certificate of %q", domain), func(ctx context.Context) (status, bool, error) {
		d, err := findCertificate(ctx, n.clients, arn)
		if err != nil {
			return "", false, err
		}
		switch d.Status {
		case types.CertificateStatusFailed, types.CertificateStatusValidationTimedOut, types.CertificateStatusRevoked, types.CertificateStatusExpired:
			// Another one is requested by the next put.
			return status(d.Status), false, errors.Join(fmt.Errorf("certificate %q is %s: %s", arn, d.Status, d.FailureReason), n.retireCertificate(ctx, ""))
		case types.CertificateStatusPendingValidation:
			return status(fmt.Sprintf("%s: ACM has not found its proof in public DNS. It never does where the domain above does not name the name servers of hosted zone %s", d.Status, zone)), false, nil
		}
		return status(d.Status), d.Status == types.CertificateStatusIssued, nil
	})
}

// retireCertificate remembers the certificate that was made as one to remove, unless it is to
// stay in use.
func (n *noun) retireCertificate(ctx context.Context, stays string) error {
	made := n.fact(factCertificateMade)
	if made == "" || made == stays {
		return nil
	}
	return n.saveAll(ctx, factCertificatesOld, map[string]string{
		factCertificatesOld: strings.Join(append(n.factList(factCertificatesOld), made), ","), factCertificateMade: "", factCertificateFor: "",
	})
}

// keepCertificate remembers a certificate as the one that was made for a domain. One that was to be
// removed, and is wanted again before that, is not any more.
func (n *noun) keepCertificate(ctx context.Context, domain, arn string) error {
	old := slices.DeleteFunc(n.factList(factCertificatesOld), func(o string) bool { return o == arn })
	return n.saveAll(ctx, factCertificateMade, map[string]string{
		factCertificateMade: arn, markCertificate(domain) + requestSuffix: "", factCertificatesOld: strings.Join(old, ","),
	})
}

// markCertificate is what the request of a certificate is saved under.
func markCertificate(domain string) string { return factCertificate + "_" + domain }

// certificate is the ARN of the environment's certificate, requested where there is none. The
// saved token makes AWS answer a repeated request with the first one's certificate for an
// hour; later it is found by its tags.
func (n *noun) certificate(ctx context.Context, part, domain string) (string, error) {
	if arn := n.fact(factCertificateMade); arn != "" {
		if _, err := findCertificate(ctx, n.clients, arn); !isAbsent(err) {
			return arn, err
		}
	}
	if arn, err := n.certificateByTags(ctx, part, domain); !isAbsent(err) {
		return arn, err
	}
	token, err := n.request(ctx, markCertificate(domain))
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

// certificateByTags looks through the certificates that wait or are issued. One that was deleted may be listed
// still (DeleteCertificate).
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
			has, err := n.certificateTags(ctx, text(c.CertificateArn))
			if gone(err) != nil {
				return "", err
			}
			if n.ours(part, has) {
				return text(c.CertificateArn), nil
			}
		}
	}
	return "", errAbsent
}

func (n *noun) certificateTags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := n.clients.acm.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: &arn})
	if err != nil {
		return nil, failed(absent(err, errNoCertificate), "read the tags of certificate %q", arn)
	}
	return tagMap(out.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value }), nil
}

// retagCertificate gives a certificate that was made the tags of the definition.
func (n *noun) retagCertificate(ctx context.Context, part, arn string) error {
	has, err := n.certificateTags(ctx, arn)
	if err != nil {
		return err
	}
	return n.putTags(part, fmt.Sprintf("certificate %q", arn), has, func(tags map[string]string) error {
		_, err := n.clients.acm.AddTagsToCertificate(ctx, &acm.AddTagsToCertificateInput{CertificateArn: &arn, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
		return err
	}, func(keys []string) error {
		in := &acm.RemoveTagsFromCertificateInput{CertificateArn: &arn}
		for _, k := range keys {
			in.Tags = append(in.Tags, types.Tag{Key: &k})
		}
		_, err := n.clients.acm.RemoveTagsFromCertificate(ctx, in)
		return err
	})
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

// checkCertificate says how the certificate differs from what putCertificate makes.
func (n *noun) checkCertificate(ctx context.Context, e target.Environment) ([]string, error) {
	arn, made := n.fact(factCertificate), n.fact(factCertificateMade)
	if arn == "" || made != "" && made != arn {
		n.lose(factCertificate)
		return []string{"there is no certificate"}, nil
	}
	d, err := findCertificate(ctx, n.clients, arn)
	switch {
	case isAbsent(err):
		n.lose(factCertificate)
		return []string{fmt.Sprintf("certificate %q is gone", arn)}, nil
	case err != nil:
		return nil, err
	case d.Status != types.CertificateStatusIssued:
		n.lose(factCertificate)
		return []string{fmt.Sprintf("certificate %q is %s", arn, d.Status)}, nil
	case made == "": // it was given, and somebody else looks after it
		return nil, nil
	}
	has, err := n.certificateTags(ctx, arn)
	if err != nil {
		return nil, gone(err)
	}
	drift := n.tagDrift(partCertificate, fmt.Sprintf("certificate %q", arn), has)
	lost, err := n.lostProofs(ctx)
	if len(lost) > 0 {
		if zone, err := n.zoneOf(ctx, e); err != nil || n.fact(factCertificateFor) != e.DomainName+"@"+zone {
			n.lose(factCertificate) // the zone was made anew, and so is the certificate; of none the names tell
		}
		drift = append(drift, fmt.Sprintf("certificate %q can't be renewed without the records that are gone: %s", arn, strings.Join(lost, ", ")))
	}
	return drift, err
}

// removeOldCertificates removes the certificates that others have replaced, with the proofs that
// nobody needs any more. One that is still shown, here or elsewhere, is left for another time.
func (n *noun) removeOldCertificates(ctx context.Context) error {
	var stay []string
	if old := n.factList(factCertificatesOld); len(old) > 0 {
		shown, err := n.shownCertificates(ctx)
		if err != nil {
			return err
		}
		for _, arn := range old {
			elsewhere, err := n.shownElsewhere(ctx, arn)
			if err != nil {
				return err
			}
			if slices.Contains(shown, arn) || len(elsewhere) > 0 {
				stay = append(stay, arn)
			} else if err := n.removeCertificate(ctx, arn); err != nil {
				return err
			}
		}
		if err := n.saveList(ctx, factCertificatesOld, stay); err != nil {
			return err
		}
	}
	if arn := n.fact(factCertificateMade); arn != "" {
		stay = append(stay, arn)
	}
	var needed []record
	for _, arn := range stay {
		records, err := n.proofs(ctx, arn)
		if err != nil {
			return err
		}
		needed = append(needed, records...)
	}
	return n.unprove(ctx, needed)
}

// shownCertificates are those that the environment has, and whatever an entrance shows by now.
func (n *noun) shownCertificates(ctx context.Context) ([]string, error) {
	shown := []string{n.fact(factCertificate), n.fact(factCertificateMade)}
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return shown, gone(err)
	}
	entrances, err := findListeners(ctx, n.clients, text(b.LoadBalancerArn))
	for _, l := range entrances {
		for _, c := range l.Certificates {
			shown = append(shown, text(c.CertificateArn))
		}
	}
	return shown, err
}

// shownElsewhere is what shows a certificate beside the environment's load balancer, or its listeners: emulators tell
// those.
func (n *noun) shownElsewhere(ctx context.Context, arn string) ([]string, error) {
	d, err := findCertificate(ctx, n.clients, arn)
	if err != nil {
		return nil, gone(err)
	}
	return slices.DeleteFunc(slices.Clone(d.InUseBy), func(by string) bool { return strings.Contains(by, "/app/"+n.balancerName()+"/") }), nil
}

// deleteCertificate removes what was made, with its records. A listener may still be seen to use
// it for a while. A certificate that was given stays.
func (n *noun) deleteCertificate(ctx context.Context, part, domain string) error {
	arn := n.fact(factCertificateMade)
	if arn == "" && n.fact(factCertificateFor) != "" { // the answer to the request was lost
		var err error
		if arn, err = n.certificateByTags(ctx, part, domain); gone(err) != nil {
			return err
		}
	}
	for _, old := range append(n.factList(factCertificatesOld), arn) {
		if err := n.removeCertificate(ctx, old); err != nil {
			return err
		}
	}
	return n.unprove(ctx, nil)
}

func (n *noun) removeCertificate(ctx context.Context, arn string) error {
	if arn == "" {
		return nil
	}
	return n.target.until(ctx, fmt.Sprintf("the end of certificate %q", arn), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.acm.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: &arn})
		if coded(err, "ResourceInUseException") {
			elsewhere, err := n.shownElsewhere(ctx, arn)
			if len(elsewhere) == 0 {
				return "in use", false, err
			}
			return status(fmt.Sprintf("in use by %s, which is not Slipway's: let it show another one", some(elsewhere))), false, nil
		}
		return "gone", true, failed(gone(err, errNoCertificate), "delete certificate %q", arn)
	})
}
