package awstarget

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	directoryName    = "slipway-directory"
	partDirectory    = "directory"
	kindInstallation = "installation"
	kindRegion       = "region"
)

// installation is the document of the installation's row. The row outlives the installation,
// and with it the directory: an installation that ended is known to hold nothing.
type installation struct {
	ID    string `json:"id"`
	Ended bool   `json:"ended"`
}

// directory is the table in the installation's home.
func (t *Target) directory(ctx context.Context) (table, error) {
	c, err := t.session.home(ctx)
	if err != nil {
		return table{}, err
	}
	return c.table(directoryName), nil
}

// directoryNoun is what the directory's table is put with. It belongs to no region.
func (t *Target) directoryNoun(ctx context.Context) (*noun, error) {
	c, err := t.session.home(ctx)
	return &noun{target: t, clients: c, key: key{"directory", ""}}, err
}

// Installation implements target.Installations.
func (t *Target) Installation(ctx context.Context) (string, error) {
	d, err := t.directory(ctx)
	if err != nil {
		return "", err
	}
	i, _, err := t.installation(t.recently(ctx), d)
	return i.ID, err
}

func (t *Target) installation(ctx context.Context, d table) (installation, row, error) {
	r, err := d.get(ctx, key{kindInstallation, "-"})
	if isAbsent(err) || err == nil && r.version == 0 {
		return installation{}, r, target.Errorf(target.ErrNoInstallation, "there is no installation in %s", t.where)
	}
	if err != nil {
		return installation{}, r, err
	}
	i, err := decode[installation](r)
	return i, r, err
}

// install begins an installation where there is none, or none any more.
func (t *Target) install(ctx context.Context, d table) (installation, error) {
	for {
		i, r, err := t.installation(ctx, d)
		if err == nil && !i.Ended {
			return i, nil
		}
		if err != nil && !errors.Is(err, target.ErrNoInstallation) {
			return i, err
		}
		r.key = key{kindInstallation, "-"}
		id := make([]byte, 8)
		_, _ = rand.Read(id) // never fails
		i = installation{ID: hex.EncodeToString(id)}
		if r, err = encode(r, i); err != nil {
			return i, err
		}
		if _, err = d.save(ctx, r, guard{}); !errors.Is(err, target.ErrConflict) {
			return i, err
		}
	}
}

// putDirectory makes the directory's table and protects it. One that has lost its tags is known by the
// row of an installation.
func (t *Target) putDirectory(ctx context.Context) error {
	n, err := t.directoryNoun(ctx)
	if err != nil {
		return err
	}
	err = n.putTable(ctx, partDirectory, directoryName, true)
	if !errors.Is(err, target.ErrForeign) {
		return err
	}
	if _, _, unread := t.installation(ctx, n.clients.table(directoryName)); unread != nil {
		return err // nothing of ours can be read from it
	}
	n.known = true
	return n.putTable(ctx, partDirectory, directoryName, true)
}

// endInstallation marks the installation as ended when no region is left but the one that is named, and
// says whether it did. A region that came meanwhile keeps it going.
func (t *Target) endInstallation(ctx context.Context, d table, but string) (done bool, err error) {
	for _, ended := range []bool{true, false} {
		left, err := d.list(ctx, kindRegion)
		if err != nil {
			return false, err
		}
		left = slices.DeleteFunc(left, func(r row) bool { return r.key.id == but })
		switch empty := countDocuments(left) == 0; {
		case ended && !empty:
			return false, nil
		case !ended && empty:
			return true, t.unprotectDirectory(ctx)
		}
		i, r, err := t.installation(ctx, d)
		if err != nil {
			return false, err
		}
		i.Ended = ended
		if r, err = encode(r, i); err != nil {
			return false, err
		}
		if _, err := d.save(ctx, r, guard{}); err != nil && !errors.Is(err, target.ErrConflict) {
			return false, err
		}
	}
	return false, nil
}

// unprotectDirectory lets people remove the directory of an installation that ended.
func (t *Target) unprotectDirectory(ctx context.Context) error {
	n, err := t.directoryNoun(ctx)
	if err != nil {
		return err
	}
	d, err := findTable(ctx, n.clients, directoryName)
	if err != nil || !aws.ToBool(d.DeletionProtectionEnabled) {
		return gone(err)
	}
	return n.protectTable(ctx, directoryName, false)
}

// countDocuments counts the rows that are more than a lease.
func countDocuments(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.version > 0 {
			n++
		}
	}
	return n
}

// checkDirectory says how the directory's protection differs from what putDirectory makes. Its tags
// are those of whoever put it last: all states of an installation share it.
func (t *Target) checkDirectory(ctx context.Context) ([]string, error) {
	n, err := t.directoryNoun(ctx)
	if err != nil {
		return nil, err
	}
	d, err := findTable(ctx, n.clients, directoryName)
	if err != nil {
		return nil, err
	}
	return n.protectionDrift(ctx, d, true)
}
