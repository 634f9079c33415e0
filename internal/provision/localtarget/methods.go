package localtarget

import (
	"context"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// LeaseTTL is how long a lease lasts on this target.
const leaseTTL = 15 * time.Second

// The methods of target.Driver are calls of the agent's methods of the same name. Those that
// write start the agent, those that read need an installation that is there.

// PutRegion implements target.Regions.
func (t *Target) PutRegion(ctx context.Context, r target.Region, o target.PutOptions) (target.RegionRecord, error) {
	return write[target.RegionRecord](ctx, t, "PutRegion", agentapi.Put[target.Region]{Spec: r, Options: o})
}

// GetRegion implements target.Regions.
func (t *Target) GetRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	return read[target.RegionRecord](ctx, t, "GetRegion", agentapi.ID{ID: id})
}

// DeleteRegion implements target.Regions. With the last region the agent goes too.
func (t *Target) DeleteRegion(ctx context.Context, id string) error {
	if _, err := read[agentapi.None](ctx, t, "DeleteRegion", agentapi.ID{ID: id}); err != nil {
		return err
	}
	return t.place().AwaitEnd(ctx)
}

// ListRegions implements target.Regions.
func (t *Target) ListRegions(ctx context.Context) ([]target.RegionRecord, error) {
	return read[[]target.RegionRecord](ctx, t, "ListRegions", agentapi.None{})
}

// PutEnvironment implements target.Environments.
func (t *Target) PutEnvironment(ctx context.Context, e target.Environment, o target.PutOptions) (target.EnvironmentRecord, error) {
	return write[target.EnvironmentRecord](ctx, t, "PutEnvironment", agentapi.Put[target.Environment]{Spec: e, Options: o, Postgres: &t.options.Postgres})
}

// GetEnvironment implements target.Environments.
func (t *Target) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	return read[target.EnvironmentRecord](ctx, t, "GetEnvironment", agentapi.ID{ID: id.String()})
}

// DeleteEnvironment implements target.Environments.
func (t *Target) DeleteEnvironment(ctx context.Context, id target.EnvironmentID) error {
	_, err := read[agentapi.None](ctx, t, "DeleteEnvironment", agentapi.ID{ID: id.String()})
	return err
}

// ListEnvironments implements target.Environments.
func (t *Target) ListEnvironments(ctx context.Context) ([]target.EnvironmentRecord, error) {
	return read[[]target.EnvironmentRecord](ctx, t, "ListEnvironments", agentapi.None{})
}

// PutAccountDatabase implements target.AccountDatabases.
func (t *Target) PutAccountDatabase(ctx context.Context, d target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	defer t.databases.Drop(d.Environment)
	return write[target.AccountDatabaseRecord](ctx, t, "PutAccountDatabase", agentapi.Put[target.AccountDatabase]{Spec: d, Options: o})
}

// GetAccountDatabase implements target.AccountDatabases, from one list of its environment
// as long as this run only reads.
func (t *Target) GetAccountDatabase(ctx context.Context, id target.AccountDatabaseID) (target.AccountDatabaseRecord, error) {
	if !t.databases.Written(id.Environment) {
		all, err := t.ListAccountDatabases(ctx, id.Environment)
		if err != nil {
			return target.AccountDatabaseRecord{}, err
		}
		for _, rec := range all {
			if rec.Spec.Account == id.Account {
				return rec, nil
			}
		}
	}
	// What the list leaves out because its record is bad says so itself.
	return read[target.AccountDatabaseRecord](ctx, t, "GetAccountDatabase", agentapi.ID{ID: id.String()})
}

// DeleteAccountDatabase implements target.AccountDatabases.
func (t *Target) DeleteAccountDatabase(ctx context.Context, id target.AccountDatabaseID) error {
	defer t.databases.Drop(id.Environment)
	_, err := read[agentapi.None](ctx, t, "DeleteAccountDatabase", agentapi.ID{ID: id.String()})
	return err
}

// ListAccountDatabases implements target.AccountDatabases.
func (t *Target) ListAccountDatabases(ctx context.Context, id target.EnvironmentID) ([]target.AccountDatabaseRecord, error) {
	return t.databases.Get(ctx, id, func(ctx context.Context) ([]target.AccountDatabaseRecord, error) {
		return read[[]target.AccountDatabaseRecord](ctx, t, "ListAccountDatabases", agentapi.ID{ID: id.String()})
	})
}

// PutSlot implements target.Slots.
func (t *Target) PutSlot(ctx context.Context, r target.SlotRecord, l target.Lease) (target.SlotRecord, error) {
	return write[target.SlotRecord](ctx, t, "PutSlot", agentapi.PutSlot{Record: r, Lease: l})
}

// GetSlot implements target.Slots.
func (t *Target) GetSlot(ctx context.Context, id target.SlotID) (target.SlotRecord, error) {
	return read[target.SlotRecord](ctx, t, "GetSlot", agentapi.ID{ID: id.String()})
}

// DeleteSlot implements target.Slots.
func (t *Target) DeleteSlot(ctx context.Context, id target.SlotID, l target.Lease) error {
	_, err := read[agentapi.None](ctx, t, "DeleteSlot", agentapi.Seat{Slot: id, Lease: l})
	return err
}

// ListSlots implements target.Slots.
func (t *Target) ListSlots(ctx context.Context, id target.EnvironmentID) ([]target.SlotRecord, error) {
	return read[[]target.SlotRecord](ctx, t, "ListSlots", agentapi.ID{ID: id.String()})
}

// AcquireLease implements target.Leases.
func (t *Target) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	return write[target.Lease](ctx, t, "AcquireLease", agentapi.Lease{Slot: id, Token: token, Holder: holder, TTL: ttl})
}

// ReleaseLease implements target.Leases.
func (t *Target) ReleaseLease(ctx context.Context, id target.SlotID, token string) error {
	_, err := read[agentapi.None](ctx, t, "ReleaseLease", agentapi.Lease{Slot: id, Token: token})
	return err
}

// LeaseTTL implements target.Leases.
func (t *Target) LeaseTTL() time.Duration { return leaseTTL }

// Fingerprint implements target.Stacks.
func (t *Target) Fingerprint(ctx context.Context, d target.Definition) (string, error) {
	a, err := write[agentapi.Text](ctx, t, "Fingerprint", agentapi.Definition{Definition: d})
	return a.Text, err
}

// CheckSlot implements target.Stacks.
func (t *Target) CheckSlot(ctx context.Context, s target.Slot) error {
	_, err := write[agentapi.None](ctx, t, "CheckSlot", agentapi.CheckSlot{Slot: s})
	return err
}

// PutStack implements target.Stacks.
func (t *Target) PutStack(ctx context.Context, s target.StackSpec, l target.Lease) error {
	_, err := write[agentapi.None](ctx, t, "PutStack", agentapi.PutStack{Stack: s, Lease: l})
	return err
}

// DeleteStack implements target.Stacks.
func (t *Target) DeleteStack(ctx context.Context, id target.SlotID, c target.Color, l target.Lease) error {
	_, err := read[agentapi.None](ctx, t, "DeleteStack", agentapi.Seat{Slot: id, Color: c, Lease: l})
	return err
}

// RetireStack implements target.Stacks.
func (t *Target) RetireStack(ctx context.Context, id target.SlotID, c target.Color, at *time.Time, l target.Lease) error {
	_, err := read[agentapi.None](ctx, t, "RetireStack", agentapi.Seat{Slot: id, Color: c, At: at, Lease: l})
	return err
}

// Observe implements target.Stacks.
func (t *Target) Observe(ctx context.Context, id target.SlotID) (target.Observation, error) {
	return read[target.Observation](ctx, t, "Observe", agentapi.ID{ID: id.String()})
}

// PutTask implements target.Tasks.
func (t *Target) PutTask(ctx context.Context, s target.TaskSpec, l target.Lease) error {
	_, err := write[agentapi.None](ctx, t, "PutTask", agentapi.PutTask{Task: s, Lease: l})
	return err
}

// DeleteTask implements target.Tasks.
func (t *Target) DeleteTask(ctx context.Context, id target.SlotID, key string, l target.Lease) error {
	_, err := read[agentapi.None](ctx, t, "DeleteTask", agentapi.Task{Slot: id, Key: key, Lease: l})
	return err
}

// SetTraffic implements target.Router.
func (t *Target) SetTraffic(ctx context.Context, id target.SlotID, to target.Traffic, drain time.Duration, l target.Lease) (target.Switched, error) {
	return read[target.Switched](ctx, t, "SetTraffic", agentapi.Traffic{Slot: id, Traffic: to, Drain: drain, Lease: l})
}

// Measure implements target.Meters.
func (t *Target) Measure(ctx context.Context, id target.SlotID, from time.Time) (map[target.Color]target.Measurement, error) {
	return read[map[target.Color]target.Measurement](ctx, t, "Measure", agentapi.Measure{Slot: id, From: from})
}

// PutRequest implements target.Requests.
func (t *Target) PutRequest(ctx context.Context, id target.SlotID, r target.Request) (target.Request, error) {
	return write[target.Request](ctx, t, "PutRequest", agentapi.PutRequest{Slot: id, Request: r})
}

// DeleteRequest implements target.Requests.
func (t *Target) DeleteRequest(ctx context.Context, id target.SlotID, requestID string, l target.Lease) error {
	_, err := read[agentapi.None](ctx, t, "DeleteRequest", agentapi.DeleteRequest{Slot: id, RequestID: requestID, Lease: l})
	return err
}

// PutJournal implements target.Journals.
func (t *Target) PutJournal(ctx context.Context, j target.Journal, l target.Lease) error {
	_, err := write[agentapi.None](ctx, t, "PutJournal", agentapi.PutJournal{Journal: j, Lease: l})
	return err
}

// ListJournals implements target.Journals.
func (t *Target) ListJournals(ctx context.Context, id target.SlotID) ([]target.Journal, error) {
	return read[[]target.Journal](ctx, t, "ListJournals", agentapi.ID{ID: id.String()})
}

// GetJournal implements target.Journals.
func (t *Target) GetJournal(ctx context.Context, id target.SlotID, swapID string) (target.Journal, error) {
	return read[target.Journal](ctx, t, "GetJournal", agentapi.GetJournal{Slot: id, SwapID: swapID})
}

// ReadLogs implements target.Logs.
func (t *Target) ReadLogs(ctx context.Context, id target.SlotID, component string, lines int) ([]target.InstanceLog, error) {
	return read[[]target.InstanceLog](ctx, t, "ReadLogs", agentapi.ReadLogs{Slot: id, Component: component, Lines: lines})
}

// ProbeFrontDoor implements target.Router.
func (t *Target) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	return read[target.Probe](ctx, t, "ProbeFrontDoor", agentapi.ID{ID: id.String()})
}
