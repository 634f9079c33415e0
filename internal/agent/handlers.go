//go:build !windows

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/platform"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// maxRequest bounds a request's body, in bytes.
const maxRequest = 16 << 20

// routes are the methods of the control interface, one for each of target.Driver.
func routes(p *platform.Platform) *http.ServeMux {
	mux := http.NewServeMux()
	on(mux, "Installation", func(ctx context.Context, _ agentapi.None) (agentapi.Text, error) {
		id, err := p.Installation(ctx)
		return agentapi.Text{Text: id}, err
	})
	on(mux, "PutRegion", func(ctx context.Context, r agentapi.Put[target.Region]) (target.RegionRecord, error) {
		return p.PutRegion(ctx, r.Spec, r.Options)
	})
	on(mux, "GetRegion", func(ctx context.Context, r agentapi.ID) (target.RegionRecord, error) {
		return p.GetRegion(ctx, r.ID)
	})
	on(mux, "DeleteRegion", func(ctx context.Context, r agentapi.ID) (agentapi.None, error) {
		return agentapi.None{}, p.DeleteRegion(ctx, r.ID)
	})
	on(mux, "ListRegions", func(ctx context.Context, _ agentapi.None) ([]target.RegionRecord, error) {
		return p.ListRegions(ctx)
	})
	environmentRoutes(mux, p)
	databaseRoutes(mux, p)
	slotRoutes(mux, p)
	stackRoutes(mux, p)
	trafficRoutes(mux, p)
	journalRoutes(mux, p)
	return mux
}

func environmentRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "PutEnvironment", func(ctx context.Context, r agentapi.Put[target.Environment]) (target.EnvironmentRecord, error) {
		return p.PutEnvironment(ctx, r.Spec, r.Options, r.Postgres)
	})
	on(mux, "GetEnvironment", withID(target.ParseEnvironmentID, p.GetEnvironment))
	on(mux, "DeleteEnvironment", withID(target.ParseEnvironmentID, nothing(p.DeleteEnvironment)))
	on(mux, "ListEnvironments", func(ctx context.Context, _ agentapi.None) ([]target.EnvironmentRecord, error) {
		return p.ListEnvironments(ctx)
	})
}

func databaseRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "PutAccountDatabase", func(ctx context.Context, r agentapi.Put[target.AccountDatabase]) (target.AccountDatabaseRecord, error) {
		return p.PutAccountDatabase(ctx, r.Spec, r.Options)
	})
	on(mux, "GetAccountDatabase", withID(target.ParseAccountDatabaseID, p.GetAccountDatabase))
	on(mux, "DeleteAccountDatabase", withID(target.ParseAccountDatabaseID, nothing(p.DeleteAccountDatabase)))
	on(mux, "ForgetAccountDatabase", withID(target.ParseAccountDatabaseID, nothing(p.ForgetAccountDatabase)))
	on(mux, "ListAccountDatabases", withID(target.ParseEnvironmentID, p.ListAccountDatabases))
}

func slotRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "PutSlot", func(ctx context.Context, r agentapi.PutSlot) (target.SlotRecord, error) {
		return p.PutSlot(ctx, r.Record, r.Lease)
	})
	on(mux, "GetSlot", withID(target.ParseSlotID, p.GetSlot))
	on(mux, "DeleteSlot", func(ctx context.Context, r agentapi.Seat) (agentapi.None, error) {
		return agentapi.None{}, p.DeleteSlot(ctx, r.Slot, r.Lease)
	})
	on(mux, "ListSlots", withID(target.ParseEnvironmentID, p.ListSlots))
	on(mux, "AcquireLease", func(ctx context.Context, r agentapi.Lease) (target.Lease, error) {
		return p.AcquireLease(ctx, r.Slot, r.Token, r.Holder, r.TTL)
	})
	on(mux, "ReleaseLease", func(ctx context.Context, r agentapi.Lease) (agentapi.None, error) {
		return agentapi.None{}, p.ReleaseLease(ctx, r.Slot, r.Token)
	})
	on(mux, "PutRequest", func(ctx context.Context, r agentapi.PutRequest) (target.Request, error) {
		return p.PutRequest(ctx, r.Slot, r.Request)
	})
	on(mux, "DeleteRequest", func(ctx context.Context, r agentapi.DeleteRequest) (agentapi.None, error) {
		return agentapi.None{}, p.DeleteRequest(ctx, r.Slot, r.RequestID, r.Lease)
	})
}

func stackRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "Fingerprint", func(ctx context.Context, r agentapi.Definition) (agentapi.Text, error) {
		sum, err := p.Fingerprint(ctx, r.Definition)
		return agentapi.Text{Text: sum}, err
	})
	on(mux, "CheckSlot", func(ctx context.Context, r agentapi.CheckSlot) (agentapi.None, error) {
		return agentapi.None{}, p.CheckSlot(ctx, r.Slot)
	})
	on(mux, "PutStack", func(ctx context.Context, r agentapi.PutStack) (agentapi.None, error) {
		return agentapi.None{}, p.PutStack(ctx, r.Stack, r.Lease)
	})
	on(mux, "DeleteStack", func(ctx context.Context, r agentapi.Seat) (agentapi.None, error) {
		return agentapi.None{}, p.DeleteStack(ctx, r.Slot, r.Color, r.Lease)
	})
	on(mux, "RetireStack", func(ctx context.Context, r agentapi.Seat) (agentapi.None, error) {
		return agentapi.None{}, p.RetireStack(ctx, r.Slot, r.Color, r.At, r.Lease)
	})
	on(mux, "Observe", withID(target.ParseSlotID, p.Observe))
	on(mux, "PutTask", func(ctx context.Context, r agentapi.PutTask) (agentapi.None, error) {
		return agentapi.None{}, p.PutTask(ctx, r.Task, r.Lease)
	})
	on(mux, "DeleteTask", func(ctx context.Context, r agentapi.Task) (agentapi.None, error) {
		return agentapi.None{}, p.DeleteTask(ctx, r.Slot, r.Key, r.Lease)
	})
}

func trafficRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "SetTraffic", func(ctx context.Context, r agentapi.Traffic) (target.Switched, error) {
		return p.SetTraffic(ctx, r.Slot, r.Traffic, r.Drain, r.Lease)
	})
	on(mux, "Measure", func(ctx context.Context, r agentapi.Measure) (map[target.Color]target.Measurement, error) {
		return p.Measure(ctx, r.Slot, r.From)
	})
	on(mux, "ProbeFrontDoor", withID(target.ParseSlotID, p.ProbeFrontDoor))
}

func journalRoutes(mux *http.ServeMux, p *platform.Platform) {
	on(mux, "PutJournal", func(ctx context.Context, r agentapi.PutJournal) (agentapi.None, error) {
		return agentapi.None{}, p.PutJournal(ctx, r.Journal, r.Lease)
	})
	on(mux, "ListJournals", withID(target.ParseSlotID, p.ListJournals))
	on(mux, "GetJournal", func(ctx context.Context, r agentapi.GetJournal) (target.Journal, error) {
		return p.GetJournal(ctx, r.Slot, r.SwapID)
	})
	on(mux, "ReadLogs", func(ctx context.Context, r agentapi.ReadLogs) ([]target.InstanceLog, error) {
		return p.ReadLogs(ctx, r.Slot, r.Component, r.Lines)
	})
}

// on answers a method. Only requests of our interface's version are understood.
func on[Request, Answer any](mux *http.ServeMux, method string, do func(context.Context, Request) (Answer, error)) {
	mux.HandleFunc("POST "+agentapi.Path(method), func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header.Get(agentapi.HeaderVersion); v != strconv.Itoa(agentapi.Version) {
			agentapi.WriteError(w, &target.Error{Kind: agentapi.ErrVersion, Message: fmt.Sprintf("the agent speaks version %d of its interface and the provider (%s) version %q", agentapi.Version, r.Header.Get(agentapi.HeaderSoftware), v)})
			return
		}
		answerTo(w, r, method, do)
	})
}

// anyVersion answers a method that every version must understand, as it is how versions
// find out about each other.
func anyVersion[Request, Answer any](mux *http.ServeMux, method string, do func(context.Context, Request) (Answer, error)) {
	mux.HandleFunc("POST "+agentapi.Path(method), func(w http.ResponseWriter, r *http.Request) {
		answerTo(w, r, method, do)
	})
}

func answerTo[Request, Answer any](w http.ResponseWriter, r *http.Request, method string, do func(context.Context, Request) (Answer, error)) {
	var request Request
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(&request); err != nil {
		agentapi.WriteError(w, target.Errorf(target.ErrInvalid, "read request %s: %v", method, err))
		return
	}
	answer, err := do(r.Context(), request)
	switch {
	case errors.Is(err, platform.ErrHandedOver):
		panic(http.ErrAbortHandler) // no answer: the client asks the next agent
	case err != nil:
		agentapi.WriteError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client is gone if this fails, and will ask again
}

// withID makes a method of one that takes a parsed id.
func withID[ID, Answer any](parse func(string) (ID, error), do func(context.Context, ID) (Answer, error)) func(context.Context, agentapi.ID) (Answer, error) {
	return func(ctx context.Context, r agentapi.ID) (Answer, error) {
		id, err := parse(r.ID)
		if err != nil {
			var none Answer
			return none, target.Errorf(target.ErrInvalid, "%v", err)
		}
		return do(ctx, id)
	}
}

// nothing makes a method without an answer one with an empty answer.
func nothing[ID any](do func(context.Context, ID) error) func(context.Context, ID) (agentapi.None, error) {
	return func(ctx context.Context, id ID) (agentapi.None, error) { return agentapi.None{}, do(ctx, id) }
}
