package awstarget_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// copySQL makes, beside a database, another one with a role as far as the catalogue tells: a
// thousand real ones would take 8 GB. Nobody can connect to it.
const copySQL = `
DO $$ DECLARE made oid; BEGIN
	CREATE ROLE %[2]s LOGIN NOINHERIT CONNECTION LIMIT 5;
	COMMENT ON ROLE %[2]s IS '%[3]s';
	SELECT max(oid)::bigint + 1 INTO made FROM pg_database;
	INSERT INTO pg_database SELECT (jsonb_populate_record(d, jsonb_build_object(
		'oid', made, 'datname', '%[2]s', 'datdba', '%[2]s'::regrole::oid, 'datacl', jsonb_build_array('%[2]s=CTc/%[2]s')))).*
		FROM pg_database d WHERE datname = '%[1]s';
	INSERT INTO pg_shdescription VALUES (made, 'pg_database'::regclass, '%[3]s');
END $$`

// plant makes account databases in the first environment until there are so many, or takes the last
// away until there are no more. The first is made as they all are, and the others are copied from
// it: their rows, and their entries in the server's catalogue.
func (p *platform) plant(n int) {
	p.Helper()
	if n > 0 && len(p.databases) == 0 {
		d := database(p.made[0], "account-0000")
		p.ok(second(p.driver.PutAccountDatabase(p.Context(), d, mine)))
		p.databases = append(p.databases, d.ID())
	}
	const kind = "database/production"
	name := func(i int) string { return fmt.Sprintf("account-%04d", i) }
	installation, err := p.driver.Installation(p.Context())
	p.ok(err)
	keyed := func(purpose, text string) string { return accountdb.Keyed([]byte(installation), purpose, text) }
	opaque := func(i int) string {
		return accountdb.Prefix + keyed("database", target.AccountDatabaseID{Environment: p.made[0], Account: name(i)}.String())
	}
	var writes []types.WriteRequest
	statements := []string{"SET allow_system_table_mods = on"}
	for len(p.databases) > n {
		i := len(p.databases) - 1
		p.databases = p.databases[:i]
		statements = append(statements,
			fmt.Sprintf("DELETE FROM pg_shdescription USING pg_database WHERE objoid = oid AND datname = '%s'", opaque(i)),
			fmt.Sprintf("DELETE FROM pg_database WHERE datname = '%s'", opaque(i)), "DROP ROLE "+opaque(i))
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: map[string]types.AttributeValue{
			"kind": &types.AttributeValueMemberS{Value: kind}, "id": &types.AttributeValueMemberS{Value: name(i)},
		}}})
	}
	first, table := p.row(kind, name(0)), p.controlTable()
	for i := len(p.databases); i < n; i++ {
		p.databases = append(p.databases, target.AccountDatabaseID{Environment: p.made[0], Account: name(i)})
		statements = append(statements, fmt.Sprintf(copySQL, opaque(0), opaque(i), "slipway-"+keyed("mark", opaque(i))))
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: replaced(first, name(0), name(i), opaque(0), opaque(i))}})
	}
	awstest.Execute(p, statements...)
	p.plantSecrets(n, name)
	for some := range slices.Chunk(writes, 25) {
		p.ok(second(p.lab.dynamodb(home).BatchWriteItem(p.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: some},
		})))
	}
}

// plantSecrets makes a secret for each account database like that of the first, whose password is
// none. Those of databases that were taken away stay.
func (p *platform) plantSecrets(n int, name func(int) string) {
	p.Helper()
	if p.secrets == 0 && n > 0 {
		p.secrets = 1
	}
	client := secretsmanager.NewFromConfig(p.lab.config(home))
	var all []func() error
	for ; p.secrets < n; p.secrets++ {
		of := strings.NewReplacer(name(0), name(p.secrets))
		all = append(all, func() error {
			d, err := client.DescribeSecret(p.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("slipway/eu/production/accounts/" + name(0) + "/database")})
			if err != nil {
				return err
			}
			in := &secretsmanager.CreateSecretInput{Name: aws.String(of.Replace(aws.ToString(d.Name))), KmsKeyId: d.KmsKeyId, SecretString: aws.String("{}")}
			for version := range d.VersionIdsToStages { // or it would be somebody else's
				in.ClientRequestToken = &version
			}
			for _, t := range d.Tags {
				in.Tags = append(in.Tags, secrets.Tag{Key: t.Key, Value: aws.String(of.Replace(aws.ToString(t.Value)))})
			}
			_, err = client.CreateSecret(p.Context(), in)
			return err
		})
	}
	p.ok(tenAtATime(all))
}

// controlTable is the name of the region's table.
func (p *platform) controlTable() string {
	out, err := p.lab.dynamodb(home).ListTables(p.Context(), &dynamodb.ListTablesInput{})
	p.ok(err)
	return out.TableNames[slices.IndexFunc(out.TableNames, func(n string) bool { return strings.HasPrefix(n, "slipway-"+eu.Name+"-") })]
}

// row is a row of the region's table, nil for none.
func (p *platform) row(kind, id string) map[string]types.AttributeValue {
	out, err := p.lab.dynamodb(home).GetItem(p.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(p.controlTable()), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"kind": &types.AttributeValueMemberS{Value: kind}, "id": &types.AttributeValueMemberS{Value: id}},
	})
	p.ok(err)
	return out.Item
}

// replaced is a row with other texts in the place of some.
func replaced(row map[string]types.AttributeValue, oldnew ...string) map[string]types.AttributeValue {
	change, out := strings.NewReplacer(oldnew...), map[string]types.AttributeValue{}
	for k, v := range row {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			v = &types.AttributeValueMemberS{Value: change.Replace(s.Value)}
		}
		out[k] = v
	}
	return out
}
