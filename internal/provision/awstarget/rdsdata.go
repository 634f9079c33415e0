package awstarget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

const (
	// maintenance is the database that statements about others run in.
	maintenance = "postgres"
	// cataloguePage is how many names one query of the catalogue returns at most: an answer of
	// the Data API may have 1 MiB, and what there is about a name has less than 1 KiB.
	cataloguePage = 500
)

// dataAPI carries statements to a database cluster with the RDS Data API. Each call outside of
// a transaction may be another session, so none relies on what an earlier one has set.
type dataAPI struct {
	target  *Target
	rdsdata *rdsdata.Client
	// cluster and secret are ARNs: of the cluster, and of the login's credentials.
	cluster, secret string
}

var _ accountdb.Server = dataAPI{}

// execute sends one statement. One that fails after it was sent may have taken effect.
func (d dataAPI) execute(ctx context.Context, sql, transaction string, parameters ...types.SqlParameter) ([][]types.Field, error) {
	in := &rdsdata.ExecuteStatementInput{
		ResourceArn: &d.cluster, SecretArn: &d.secret, Database: aws.String(maintenance), Sql: &sql, Parameters: parameters,
		ContinueAfterTimeout: true, // what is broken off in the midst leaves half a database
	}
	if transaction != "" {
		in.TransactionId = &transaction
	}
	var out *rdsdata.ExecuteStatementOutput
	err := d.awake(ctx, func(ctx context.Context) (err error) {
		out, err = d.rdsdata.ExecuteStatement(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out.Records, nil
}

// awake waits for a cluster that was paused.
func (d dataAPI) awake(ctx context.Context, call func(context.Context) error) error {
	return d.target.until(ctx, "database cluster "+d.cluster, func(ctx context.Context) (status, bool, error) {
		err := call(ctx)
		if coded(err, "DatabaseResumingException") {
			return "resuming", false, nil
		}
		return "answering", err == nil, failed(err, "call the Data API")
	})
}

// Observe implements accountdb.Server.
func (d dataAPI) Observe(ctx context.Context, name string) (accountdb.Entry, error) {
	entries, err := d.catalogue(ctx, "%s = CAST(:name AS name)", parameter("name", name))
	if err != nil || len(entries) == 0 {
		return accountdb.Entry{Name: name}, err
	}
	return entries[0], nil
}

// catalogue reads what there is under the names that match a condition.
func (d dataAPI) catalogue(ctx context.Context, condition string, parameters ...types.SqlParameter) ([]accountdb.Entry, error) {
	sql := accountdb.Catalogue(accountdb.Literal(administrator), condition) + fmt.Sprintf(" LIMIT %d", cataloguePage)
	records, err := d.execute(ctx, sql, "", parameters...)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue of database cluster %s: %w", d.cluster, err)
	}
	entries := make([]accountdb.Entry, 0, len(records))
	for _, r := range records {
		said, err := textField(r)
		if err != nil {
			return nil, err
		}
		e, err := accountdb.ParseEntry(said)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// textField is the text that a record consists of.
func textField(record []types.Field) (string, error) {
	if len(record) == 1 {
		if v, ok := record[0].(*types.FieldMemberStringValue); ok {
			return v.Value, nil
		}
	}
	return "", errors.New("the Data API returned something else than a text")
}

// all reads, page by page, what there is under the names that begin so.
func (d dataAPI) all(ctx context.Context, prefix string) (map[string]accountdb.Entry, error) {
	entries, last := map[string]accountdb.Entry{}, ""
	for {
		page, err := d.catalogue(ctx, "starts_with(%s::text, :prefix) AND %s > CAST(:last AS name)", parameter("prefix", prefix), parameter("last", last))
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

// parameter is a parameter of a statement.
func parameter(name, value string) types.SqlParameter {
	return types.SqlParameter{Name: &name, Value: &types.FieldMemberStringValue{Value: value}}
}

// asks is who the administrator is. No user of RDS is a superuser.
func (d dataAPI) asks(ctx context.Context) (accountdb.Asker, error) {
	records, err := d.execute(ctx, "SELECT current_setting('server_version_num')::integer / 10000", "")
	if err != nil {
		return accountdb.Asker{}, fmt.Errorf("read the version of database cluster %s: %w", d.cluster, err)
	}
	major, ok := records[0][0].(*types.FieldMemberLongValue)
	if !ok {
		return accountdb.Asker{}, fmt.Errorf("read the version of database cluster %s: got a value of type %T", d.cluster, records[0][0])
	}
	return accountdb.Asker{Major: int(major.Value)}, nil
}

// converge carries out what is to be done about one name.
func (d dataAPI) converge(ctx context.Context, name string, next accountdb.Next) error {
	asks, err := d.asks(ctx)
	if err != nil {
		return err
	}
	return accountdb.Converge(ctx, d, asks, name, next)
}

// Do implements accountdb.Server: one statement by itself, since a database is not made in a
// transaction, several in one.
func (d dataAPI) Do(ctx context.Context, s accountdb.Step) error {
	if len(s.SQL) == 1 {
		_, err := d.execute(ctx, s.SQL[0], "")
		return err
	}
	var transaction string
	err := d.awake(ctx, func(ctx context.Context) error {
		out, err := d.rdsdata.BeginTransaction(ctx, &rdsdata.BeginTransactionInput{ResourceArn: &d.cluster, SecretArn: &d.secret, Database: aws.String(maintenance)})
		if err == nil {
			transaction = text(out.TransactionId)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, sql := range s.SQL {
		if _, err := d.execute(ctx, sql, transaction); err != nil {
			return errors.Join(err, d.rollback(ctx, transaction))
		}
	}
	_, err = d.rdsdata.CommitTransaction(ctx, &rdsdata.CommitTransactionInput{ResourceArn: &d.cluster, SecretArn: &d.secret, TransactionId: &transaction})
	return failed(err, "commit")
}

// rollback ends a transaction, also when ctx has ended: it would hold its locks for minutes.
func (d dataAPI) rollback(ctx context.Context, transaction string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := d.rdsdata.RollbackTransaction(ctx, &rdsdata.RollbackTransactionInput{ResourceArn: &d.cluster, SecretArn: &d.secret, TransactionId: &transaction})
	return failed(gone(err, errNoTransaction), "roll back")
}

const (
	errNoTransaction = "TransactionNotFoundException"
	// errDatabase is whatever PostgreSQL refuses.
	errDatabase = "DatabaseErrorException"
)

// Again implements accountdb.Server. The Data API has one code for all that PostgreSQL refuses:
// what is there then tells whether somebody else was in the way, or an answer was lost.
func (d dataAPI) Again(ctx context.Context, err error, attempt int) bool {
	if !coded(err, errDatabase, "StatementTimeoutException", errNoTransaction) {
		return false
	}
	return d.target.clock.Sleep(ctx, min(time.Second, 20*time.Millisecond<<attempt)) == nil
}
