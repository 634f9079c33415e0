package awstarget

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// missing refuses what this version does not do on AWS yet.
func missing(what string) error {
	return target.Errorf(target.ErrInvalid, "%s are not in this version of the aws target, which is being built: use target = \"local\" for them", what)
}

const (
	accountDatabases = "account databases"
	stacks           = "stacks of deployment slots"
)

// PutAccountDatabase implements target.AccountDatabases.
func (t *Target) PutAccountDatabase(context.Context, target.AccountDatabase, target.PutOptions) (target.AccountDatabaseRecord, error) {
	return target.AccountDatabaseRecord{}, missing(accountDatabases)
}

// GetAccountDatabase implements target.AccountDatabases: none can have been made.
func (t *Target) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	if _, err := t.ListAccountDatabases(ctx, id.Environment); err != nil {
		return target.AccountDatabaseRecord{}, err
	}
	return target.AccountDatabaseRecord{}, target.Errorf(target.ErrNotFound, "account database %q does not exist", id)
}

// DeleteAccountDatabase implements target.AccountDatabases.
func (t *Target) DeleteAccountDatabase(context.Context, target.AccountDatabaseID) error { return nil }

// ListAccountDatabases implements target.AccountDatabases: none can have been made.
func (t *Target) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	_, err := t.slotTable(ctx, target.SlotID{Environment: id})
	return nil, err
}

// Fingerprint implements target.Stacks.
func (t *Target) Fingerprint(_ context.Context, d target.Definition) (string, error) {
	return d.Fingerprint(nil)
}

// CheckSlot implements target.Stacks.
func (t *Target) CheckSlot(context.Context, target.Slot) error { return missing(stacks) }

// PutStack implements target.Stacks.
func (t *Target) PutStack(context.Context, target.StackSpec, target.Lease) error {
	return missing(stacks)
}

// DeleteStack implements target.Stacks.
func (t *Target) DeleteStack(context.Context, target.SlotID, target.Color, target.Lease) error {
	return missing(stacks)
}

// RetireStack implements target.Stacks.
func (t *Target) RetireStack(context.Context, target.SlotID, target.Color, *time.Time, target.Lease) error {
	return missing(stacks)
}

// Observe implements target.Stacks: there can be no stack.
func (t *Target) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	r, err := t.request(ctx, id)
	return target.Observation{At: t.now(), Stacks: map[target.Color]target.StackStatus{}, Request: r}, err
}

// PutTask implements target.Tasks.
func (t *Target) PutTask(context.Context, target.TaskSpec, target.Lease) error {
	return missing("tasks")
}

// DeleteTask implements target.Tasks.
func (t *Target) DeleteTask(context.Context, target.SlotID, string, target.Lease) error {
	return missing("tasks")
}

// SetTraffic implements target.Router.
func (t *Target) SetTraffic(context.Context, target.SlotID, target.Traffic, time.Duration, target.Lease) (target.Switched, error) {
	return target.Switched{}, missing("switches")
}

// Measure implements target.Meters.
func (t *Target) Measure(context.Context, target.SlotID, time.Time) (map[target.Color]target.Measurement, error) {
	return nil, missing("measurements")
}

// ReadLogs implements target.Logs.
func (t *Target) ReadLogs(context.Context, target.SlotID, string, int) ([]target.InstanceLog, error) {
	return nil, missing("logs of components")
}

// ProbeFrontDoor implements target.Router.
func (t *Target) ProbeFrontDoor(context.Context, target.SlotID) (target.Probe, error) {
	return target.Probe{}, missing("probes")
}
