package awstarget

import (
	"context"
	"slices"
	"strings"
)

// factProofs are the records that prove names to ACM and that were made here, each as its name,
// type and zone. All certificates of a name in an AWS account share one: a record that was there
// before is somebody else's and stays.
const factProofs = "proofs"

// prove writes the records that ACM wants to see for a certificate.
func (n *noun) prove(ctx context.Context, arn, zone string) error {
	wanted, err := n.proofs(ctx, arn)
	if err != nil {
		return err
	}
	made := n.factList(factProofs)
	var write []record
	for _, r := range wanted {
		if !slices.Contains(made, r.fact(zone)) {
			if _, err := findRecord(ctx, n.clients, zone, r.name, r.kind); err == nil {
				continue
			} else if !isAbsent(err) {
				return err
			}
			made = append(made, r.fact(zone))
		}
		write = append(write, r)
	}
	if err := n.saveList(ctx, factProofs, made); err != nil {
		return err
	}
	return n.upsert(ctx, zone, write)
}

// lostProofs are the names of the records that were made here and are gone.
func (n *noun) lostProofs(ctx context.Context) ([]string, error) {
	var lost []string
	for _, made := range n.factList(factProofs) {
		p := strings.Split(made, "@")
		if len(p) != 3 {
			continue
		}
		_, domain, _ := strings.Cut(plain(p[0]), ".") // which it proves
		if _, err := findRecordUnder(ctx, n.clients, p[2], domain, p[0], p[1]); isAbsent(err) {
			lost = append(lost, p[0])
		} else if err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// unprove removes the records that were made here, except those that are still needed.
func (n *noun) unprove(ctx context.Context, needed []record) error {
	var stay []string
	for _, made := range n.factList(factProofs) {
		p := strings.Split(made, "@")
		if len(p) != 3 {
			continue
		}
		name, kind, zone := p[0], p[1], p[2]
		if slices.ContainsFunc(needed, func(r record) bool { return r.name == name && r.kind == kind }) {
			stay = append(stay, made)
			continue
		}
		if err := n.removeRecord(ctx, zone, name, kind); err != nil {
			return err
		}
	}
	return n.saveList(ctx, factProofs, stay)
}

// fact is how a record in a zone is saved.
func (r record) fact(zone string) string { return r.name + "@" + r.kind + "@" + zone }

// factList is a fact that holds several values.
func (n *noun) factList(name string) []string {
	if v := n.fact(name); v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

func (n *noun) saveList(ctx context.Context, name string, values []string) error {
	return n.save(ctx, name, strings.Join(values, ","))
}
