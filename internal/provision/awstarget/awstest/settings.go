package awstest

import (
	"os"
	"path/filepath"
	"testing"
)

// Endpoints names one URL for every service, by the AWS provider's names.
func Endpoints(url string) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"acm", "applicationautoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "elbv2", "iam", "kms", "logs", "rds", "rdsdata", "route53", "s3", "secretsmanager", "sts"} {
		all[name] = url
	}
	return all
}

// File writes a file of the test's own and returns its path.
func File(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
