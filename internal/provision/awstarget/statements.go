package awstarget

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

const (
	// maintenance is the database that statements about others run in.
	maintenance = "postgres"
	// cataloguePage is how many names one query of the catalogue returns at most: an answer of
	// the Data API may have 1 MiB, and what there is about a name has less than 1 KiB.
	cataloguePage = 500
)

// carrier takes statements to a database cluster, with the rights of one login, and into the
// maintenance database. Each message may be another session, so none relies on what an earlier
// one has set.
type carrier interface {
	// query returns the only column, a text, of every row.
	query(ctx context.Context, sql string) ([]string, error)
	// execute carries out statements: all or none. One that fails after it was sent may have
	// taken effect.
	execute(ctx context.Context, sql ...string) error
	// forbidden says whether the login may not do what it asked for, as far as that can be told from
	// what else a server refuses.
	forbidden(err error) bool
	// inTheWay says whether an error may be because of what somebody else did at the same time.
	inTheWay(err error) bool
}

// server is a database cluster as one of its logins sees it.
type server struct {
	carrier
	target *Target
	// cluster is its ARN.
	cluster string
}

var _ accountdb.Server = server{}

// Observe implements accountdb.Server.
func (s server) Observe(ctx context.Context, name string) (accountdb.Entry, error) {
	entries, err := s.catalogue(ctx, "%s = "+nameLiteral(name))
	if err != nil || len(entries) == 0 {
		return accountdb.Entry{Name: name}, err
	}
	return entries[0], nil
}

func nameLiteral(name string) string { return "CAST(" + accountdb.Literal(name) + " AS name)" }

// catalogue reads what there is under the names that match a condition.
func (s server) catalogue(ctx context.Context, condition string) ([]accountdb.Entry, error) {
	sql := accountdb.Catalogue(accountdb.Literal(administrator), condition) + fmt.Sprintf(" LIMIT %d", cataloguePage)
	said, err := s.query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue of database cluster %s: %w", s.cluster, err)
	}
	entries := make([]accountdb.Entry, len(said))
	for i, text := range said {
		if entries[i], err = accountdb.ParseEntry(text); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// all reads, page by page, what there is under the names that begin so.
func (s server) all(ctx context.Context, prefix string) (map[string]accountdb.Entry, error) {
	entries, last := map[string]accountdb.Entry{}, ""
	for {
		page, err := s.catalogue(ctx, "starts_with(%s::text, "+accountdb.Literal(prefix)+") AND %s > "+nameLiteral(last))
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			entries[e.Name], last = e, e.Name
		}
		if len(page) < cataloguePage {
			return entries, nil
		}
	}
}

// asks is who the administrator is. No user of RDS is a superuser.
func (s server) asks(ctx context.Context) (accountdb.Asker, error) {
	said, err := s.query(ctx, "SELECT current_setting('server_version_num')")
	var version int
	if err == nil && len(said) == 1 {
		_, err = fmt.Sscan(said[0], &version)
	}
	if err != nil {
		return accountdb.Asker{}, fmt.Errorf("read the version of database cluster %s: %w", s.cluster, err)
	}
	return accountdb.Asker{Major: version / 10000}, nil
}

// converge carries out what is to be done about one name.
func (s server) converge(ctx context.Context, name string, next accountdb.Next) error {
	asks, err := s.asks(ctx)
	if err != nil {
		return err
	}
	return accountdb.Converge(ctx, s, asks, name, next)
}

// Do implements accountdb.Server.
func (s server) Do(ctx context.Context, step accountdb.Step) error {
	return s.execute(ctx, step.SQL...)
}

// Again implements accountdb.Server.
func (s server) Again(ctx context.Context, err error, attempt int) bool {
	return s.inTheWay(err) && s.target.clock.Sleep(ctx, min(time.Second, 20*time.Millisecond<<attempt)) == nil
}

// closeMaintenance keeps all other roles out of the maintenance databases, as far as they are
// the administrator's: those of RDS stay as RDS made them.
func (s server) closeMaintenance(ctx context.Context) error {
	open, err := s.query(ctx, accountdb.OpenMaintenance)
	if err != nil {
		return fmt.Errorf("find maintenance databases: %w", err)
	}
	for _, name := range open {
		if err := s.execute(ctx, accountdb.CloseDatabase(name)); err != nil && !s.forbidden(err) {
			return fmt.Errorf("close maintenance database: %w", err)
		}
	}
	return nil
}
