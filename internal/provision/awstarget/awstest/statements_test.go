//go:build !windows

package awstest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// cluster makes a database cluster in an account and returns how statements get there.
func cluster(t *testing.T, a *Account) (c *rdsdata.Client, arn, secret *string) {
	t.Helper()
	ctx, control := t.Context(), rds.NewFromConfig(config(a))
	out, err := control.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("main"), Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("slipway"),
		ManageMasterUserPassword: aws.Bool(true), EnableHttpEndpoint: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = control.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("main-1"), DBClusterIdentifier: aws.String("main"), DBInstanceClass: aws.String("db.serverless"), Engine: aws.String("aurora-postgresql"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return rdsdata.NewFromConfig(config(a)), out.DBCluster.DBClusterArn, out.DBCluster.MasterUserSecret.SecretArn
}

func TestStatementsRunOnPostgreSQL(t *testing.T) {
	t.Parallel()
	ctx, a := t.Context(), New(t)
	c, arn, secret := cluster(t, a)
	run := func(sql string, transaction *string, parameters ...types.SqlParameter) ([][]types.Field, error) {
		out, err := c.ExecuteStatement(ctx, &rdsdata.ExecuteStatementInput{ResourceArn: arn, SecretArn: secret, Sql: &sql, TransactionId: transaction, Parameters: parameters})
		if err != nil {
			return nil, err
		}
		return out.Records, nil
	}
	value := func(name string, v types.Field) types.SqlParameter { return types.SqlParameter{Name: &name, Value: v} }
	got, err := run(`SELECT :text || ':text'::text, :long + 1, :no::boolean, NULL, current_user::text`, nil,
		value("text", &types.FieldMemberStringValue{Value: "it's"}), value("long", &types.FieldMemberLongValue{Value: 41}), value("no", &types.FieldMemberBooleanValue{}))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]types.Field{{
		&types.FieldMemberStringValue{Value: "it's:text"}, &types.FieldMemberLongValue{Value: 42}, &types.FieldMemberBooleanValue{},
		&types.FieldMemberIsNull{Value: true}, &types.FieldMemberStringValue{Value: "slipway"},
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(types.FieldMemberStringValue{}, types.FieldMemberLongValue{}, types.FieldMemberBooleanValue{}, types.FieldMemberIsNull{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, sql := range []string{"SELECT 1; SELECT 2", "SELECT no_such_column"} {
		if _, err := run(sql, nil); !coded(err, "DatabaseErrorException") {
			t.Errorf("%s: got error %v", sql, err)
		}
	}
	if _, err := run("SELECT repeat('x', 70000)", nil); !coded(err, "BadRequestException") {
		t.Errorf("a long record: got error %v", err)
	}
	if _, err := run("SELECT repeat('x', 60000) FROM generate_series(1, 20)", nil); !coded(err, "BadRequestException") {
		t.Errorf("many records: got error %v", err)
	}

	got, err = run("SELECT count(*) FROM pg_roles WHERE rolname = CAST(:name AS name)", nil, value("name", &types.FieldMemberStringValue{Value: "slipway"}))
	if err != nil || got[0][0].(*types.FieldMemberLongValue).Value != 1 {
		t.Errorf("the administrator is there %v times: %v", got, err)
	}

	begin := func() *string {
		out, err := c.BeginTransaction(ctx, &rdsdata.BeginTransactionInput{ResourceArn: arn, SecretArn: secret})
		if err != nil {
			t.Fatal(err)
		}
		return out.TransactionId
	}
	ok := func(_ [][]types.Field, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	kept, lost := begin(), begin()
	ok(run("CREATE TABLE kept ()", kept))
	ok(run("CREATE TABLE lost ()", lost))
	if _, err := c.CommitTransaction(ctx, &rdsdata.CommitTransactionInput{ResourceArn: arn, SecretArn: secret, TransactionId: kept}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RollbackTransaction(ctx, &rdsdata.RollbackTransactionInput{ResourceArn: arn, SecretArn: secret, TransactionId: lost}); err != nil {
		t.Fatal(err)
	}
	ok(run("SELECT FROM kept", nil))
	if _, err := run("SELECT FROM lost", nil); err == nil {
		t.Error("what was rolled back is there")
	}
	if _, err := run("SELECT 1", lost); !coded(err, "TransactionNotFoundException") {
		t.Errorf("a transaction that has ended: got error %v", err)
	}
}

func TestLoginsComeFromSecrets(t *testing.T) {
	t.Parallel()
	ctx, a := t.Context(), New(t)
	c, arn, master := cluster(t, a)
	run := func(secret *string, sql string) error {
		_, err := c.ExecuteStatement(ctx, &rdsdata.ExecuteStatementInput{ResourceArn: arn, SecretArn: secret, Sql: &sql})
		return err
	}
	for _, sql := range []string{`CREATE ROLE "slipway_reader" LOGIN PASSWORD 'right'`, `GRANT CONNECT ON DATABASE "postgres" TO "slipway_reader"`} {
		if err := run(master, sql); err != nil {
			t.Fatal(err)
		}
	}
	for password, want := range map[string]string{"right": "", "wrong": "BadRequestException"} {
		value, err := json.Marshal(secret{Username: "slipway_reader", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		s, err := secretsmanager.NewFromConfig(config(a)).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &password, SecretString: aws.String(string(value))})
		if err != nil {
			t.Fatal(err)
		}
		if err := run(s.ARN, "SELECT 1"); err != nil != (want != "") || want != "" && !coded(err, want) {
			t.Errorf("with the %s password: got error %v", password, err)
		}
		if err := run(s.ARN, "CREATE ROLE nobody"); err == nil {
			t.Error("a login without rights has made a role")
		}
	}
	if err := run(aws.String(strings.ReplaceAll(*master, "secret:", "secret:no-")), "SELECT 1"); !coded(err, "BadRequestException") {
		t.Errorf("with no secret: got error %v", err)
	}
}

// coded says whether AWS answered with an error code.
func coded(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
