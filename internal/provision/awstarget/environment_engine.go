package awstarget

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// engine is the version of a cluster that is to be made or moved to it. What stands was made with its
// version, which AWS need not offer any more.
func (s site) engine(ctx context.Context) (target.Faults, error) {
	const path = "aws.database.engine_version"
	wanted := s.settings.Database.EngineVersion
	if s.stands != nil && settingsOf(s.was).Database.EngineVersion == wanted {
		return nil, nil
	}
	family := databaseFamily(s.of)
	out, err := s.clients.rds.DescribeDBEngineVersions(ctx, &rds.DescribeDBEngineVersionsInput{Engine: aws.String(databaseEngine), DBParameterGroupFamily: &family})
	if err != nil {
		return nil, failed(err, "look for versions of %s", family)
	}
	major, _, _ := strings.Cut(wanted, ".")
	var has []string
	for _, v := range out.DBEngineVersions {
		if version := text(v.EngineVersion); strings.HasPrefix(version, major+".") && !strings.Contains(version, "-") { // else of another kind, such as limitless
			has = append(has, version)
		}
	}
	switch {
	case slices.Contains(has, wanted):
		return nil, nil
	case len(has) == 0:
		return fault(path, "location %q has no Aurora PostgreSQL %s: choose another major version, such as %q", s.clients.region, major, target.DefaultAWS(s.of.Kind).Database.EngineVersion), nil
	}
	return fault(path, "location %q has no Aurora PostgreSQL %s: expected one of %q", s.clients.region, wanted, has), nil
}
