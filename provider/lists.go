package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func newRegionList() list.ListResource {
	return &listResource{
		dataSource: regionData(), description: "Finds the regions of the target, whoever owns them, such as to import them.",
		ids: func(ctx context.Context, c *client, _ string) ([]string, error) {
			all, err := c.ListRegions(ctx)
			return idsOf(all, func(r target.RegionRecord) string { return r.Spec.Name }), err
		},
	}
}

func newEnvironmentList() list.ListResource {
	return &listResource{
		dataSource: environmentData(), description: "Finds environments, whoever owns them, such as to import them.",
		within: "region_id", inside: "Id of the region to look in; defaults to all regions.", checkInside: target.ValidateName,
		ids: environmentIDs,
	}
}

func newAccountDatabaseList() list.ListResource {
	return &listResource{
		dataSource: accountDatabaseData(), description: "Finds account databases, whoever owns them, such as to import them.",
		within: "environment_id", inside: "Id of the environment to look in; defaults to all environments.", checkInside: checkID(target.ParseEnvironmentID),
		ids: func(ctx context.Context, c *client, within string) ([]string, error) {
			return inEnvironments(ctx, c, within, func(id target.EnvironmentID) ([]string, error) {
				all, err := c.ListAccountDatabases(ctx, id)
				return idsOf(all, func(r target.AccountDatabaseRecord) string { return r.Spec.ID().String() }), err
			})
		},
	}
}

func newDeploymentSlotList() list.ListResource {
	return &listResource{
		dataSource: deploymentSlotData(), description: "Finds deployment slots, whoever owns them, such as to import them.",
		within: "environment_id", inside: "Id of the environment to look in; defaults to all environments.", checkInside: checkID(target.ParseEnvironmentID),
		ids: func(ctx context.Context, c *client, within string) ([]string, error) {
			return inEnvironments(ctx, c, within, func(id target.EnvironmentID) ([]string, error) {
				all, err := c.ListSlots(ctx, id)
				return idsOf(all, func(r target.SlotRecord) string { return r.Asked.ID().String() }), err
			})
		},
	}
}

// environmentIDs returns the environments of a region, "" for all.
func environmentIDs(ctx context.Context, c *client, region string) ([]string, error) {
	all, err := c.ListEnvironments(ctx)
	var ids []string
	for _, e := range all {
		if region == "" || e.Spec.Region == region {
			ids = append(ids, e.Spec.ID().String())
		}
	}
	return ids, err
}

// inEnvironments joins what list returns for one environment, or for all where it is "".
func inEnvironments(ctx context.Context, c *client, environment string, list func(target.EnvironmentID) ([]string, error)) ([]string, error) {
	environments := []string{environment}
	var err error
	if environment == "" {
		environments, err = environmentIDs(ctx, c, "")
	}
	var ids []string
	for _, e := range environments {
		if err != nil {
			break
		}
		var id target.EnvironmentID
		var more []string
		if id, err = target.ParseEnvironmentID(e); err == nil {
			more, err = list(id)
		}
		ids = append(ids, more...)
	}
	return ids, err
}

func idsOf[T any](all []T, id func(T) string) []string {
	ids := make([]string, 0, len(all))
	for _, v := range all {
		ids = append(ids, id(v))
	}
	return ids
}
