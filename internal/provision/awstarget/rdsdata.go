package awstarget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// dataAPI carries statements to a database cluster with the RDS Data API.
type dataAPI struct {
	target  *Target
	rdsdata *rdsdata.Client
	// cluster and secret are ARNs: of the cluster, and of the login's credentials.
	cluster, secret string
}

// send sends one statement.
func (d dataAPI) send(ctx context.Context, sql, transaction string) ([][]types.Field, error) {
	in := &rdsdata.ExecuteStatementInput{
		ResourceArn: &d.cluster, SecretArn: &d.secret, Database: aws.String(maintenance), Sql: &sql,
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

// dataAPIOpens bounds the wait for the Data API of a cluster that was enabled just now.
const dataAPIOpens = 5 * time.Minute

// awaitDataAPI returns when a statement gets through.
func (c dbCluster) awaitDataAPI(ctx context.Context, secret string) error {
	s, err := c.serverAs(secret, administratorConnections)
	if err != nil {
		return err
	}
	ctx, cancel := wait.Within(ctx, c.target.clock, dataAPIOpens)
	defer cancel()
	return c.target.until(ctx, fmt.Sprintf("the Data API of database cluster %q", c.name), func(ctx context.Context) (status, bool, error) {
		_, err := s.query(ctx, "SELECT 'open'")
		if coded(err, "HttpEndpointNotEnabledException", "BadRequestException") {
			return "not enabled yet", false, nil
		}
		return "enabled", err == nil, err
	})
}

// wakes bounds the wait for a cluster whose first statement lasts too long because it was paused. Most
// times AWS says that it resumes.
const wakes = time.Minute

// query sends one statement that only reads, and may so be sent again.
func (d dataAPI) query(ctx context.Context, sql string) ([]string, error) {
	var records [][]types.Field
	end := d.target.now().Add(wakes)
	err := d.target.while(ctx, fmt.Sprintf("database cluster %q to answer in time", d.cluster), func(outcome error) bool {
		return coded(outcome, "StatementTimeoutException") && d.target.now().Before(end)
	}, func(ctx context.Context) (err error) {
		records, err = d.send(ctx, sql, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(records))
	for i, record := range records {
		if len(record) != 1 {
			return nil, errNoText
		}
		v, ok := record[0].(*types.FieldMemberStringValue)
		if !ok {
			return nil, errNoText
		}
		texts[i] = v.Value
	}
	return texts, nil
}

var errNoText = errors.New("the Data API returned something else than a text")

// execute sends one statement by itself, since a database is not made in a transaction, several
// in one.
func (d dataAPI) execute(ctx context.Context, sql ...string) error {
	if len(sql) == 1 {
		_, err := d.send(ctx, sql[0], "")
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
	for _, statement := range sql {
		if _, err := d.send(ctx, statement, transaction); err != nil {
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
	// errDatabase is whatever PostgreSQL refuses: the Data API has no other code.
	errDatabase = "DatabaseErrorException"
)

func (d dataAPI) forbidden(err error) bool { return coded(err, errDatabase) }

// inTheWay can't tell more than forbidden: what is there then says whether somebody else was in the
// way, or an answer was lost.
func (d dataAPI) inTheWay(err error) bool {
	return coded(err, errDatabase, "StatementTimeoutException", errNoTransaction)
}
