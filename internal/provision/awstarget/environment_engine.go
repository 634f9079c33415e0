package awstarget

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// engine is the version of a cluster that is to be made or changed, and the capacity that it can have. What
// stands was made with its version, which AWS need not offer any more.
func (s site) engine(ctx context.Context) (target.Faults, error) {
	const path = "aws.database.engine_version"
	d, had := s.settings.Database, settingsOf(s.was).Database
	stays := s.stands != nil && had.EngineVersion == d.EngineVersion
	if stays && had.MinCapacity == d.MinCapacity && had.MaxCapacity == d.MaxCapacity {
		return nil, nil
	}
	family := databaseFamily(s.of)
	out, err := s.clients.rds.DescribeDBEngineVersions(ctx, &rds.DescribeDBEngineVersionsInput{Engine: aws.String(databaseEngine), DBParameterGroupFamily: &family})
	if err != nil {
		return nil, failed(err, "look for versions of %s", family)
	}
	major, _, _ := strings.Cut(d.EngineVersion, ".")
	var has []string
	for _, v := range out.DBEngineVersions {
		version := text(v.EngineVersion)
		if version == d.EngineVersion {
			return s.capacity(v.ServerlessV2FeaturesSupport), nil
		}
		if strings.HasPrefix(version, major+".") && !strings.Contains(version, "-") { // else of another kind, such as limitless
			has = append(has, version)
		}
	}
	switch {
	case stays:
		return nil, nil
	case len(has) == 0:
		return fault(path, "location %q has no Aurora PostgreSQL %s: choose another major version, such as %q", s.clients.region, major, target.DefaultAWS(s.of.Kind).Database.EngineVersion), nil
	}
	return fault(path, "location %q has no Aurora PostgreSQL %s: expected one of %q", s.clients.region, d.EngineVersion, has), nil
}

// capacity is what an engine's version allows, where AWS says it: older ones can't pause, and grow less.
func (s site) capacity(allowed *types.ServerlessV2FeaturesSupport) (faults target.Faults) {
	if allowed == nil {
		return nil
	}
	d := s.settings.Database
	if lowest := allowed.MinCapacity; lowest != nil && d.MinCapacity < *lowest {
		faults = append(faults, fault("aws.database.min_capacity_units", "%g is too little for Aurora PostgreSQL %s in location %q: expected %g or more, or a later aws.database.engine_version", d.MinCapacity, d.EngineVersion, s.clients.region, *lowest)...)
	}
	if highest := allowed.MaxCapacity; highest != nil && d.MaxCapacity > *highest {
		faults = append(faults, fault("aws.database.max_capacity_units", "%g is too much for Aurora PostgreSQL %s in location %q: expected %g or less, or a later aws.database.engine_version", d.MaxCapacity, d.EngineVersion, s.clients.region, *highest)...)
	}
	return faults
}
