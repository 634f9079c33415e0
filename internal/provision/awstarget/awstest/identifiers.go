package awstest

import (
	"net/http"
	"strings"
)

// identifiers refuses names that RDS does not take and moto does: CreateDBCluster, CreateDBInstance,
// CreateDBClusterParameterGroup and CreateDBClusterSnapshot, of which none ends with a hyphen or has two in a row.
func identifiers(c Call, _ http.Handler) http.Handler {
	if c.Service != "rds" || !strings.HasPrefix(c.Operation, "Create") {
		return nil
	}
	for _, field := range []string{"DBClusterIdentifier", "DBInstanceIdentifier", "DBClusterParameterGroupName", "DBClusterSnapshotIdentifier"} {
		if name := c.Form.Get(field); strings.Contains(name, "--") || strings.HasSuffix(name, "-") {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				c.send(w, nil, refuse("InvalidParameterValue", "The parameter %s is not a valid identifier: %q", field, name))
			})
		}
	}
	return nil
}
