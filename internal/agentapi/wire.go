package agentapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Version is the version of the interface. It goes up with every change that an older
// client or agent would misunderstand.
const Version = 1

// Headers of every request and answer.
const (
	HeaderVersion  = "Slipway-Api-Version"
	HeaderSoftware = "Slipway-Software-Version"
)

// Path is where a method is called: POST with the request as JSON.
func Path(method string) string { return "/v1/" + method }

// Requests of the methods, named after the methods of target.Driver.
type (
	// None is a request or an answer without content.
	None struct{}
	// ID asks for one object by its id, "" where the method lists all.
	ID struct {
		ID string `json:"id"`
	}
	// Put puts a definition.
	Put[T any] struct {
		Spec    T                 `json:"spec"`
		Options target.PutOptions `json:"options"`
		// Postgres is where an environment's database server comes from.
		Postgres *Postgres `json:"postgres,omitempty"`
	}
	// PutSlot writes a slot's record.
	PutSlot struct {
		Record target.SlotRecord `json:"record"`
		Lease  target.Lease      `json:"lease"`
	}
	// Lease asks for, renews or returns a lease.
	Lease struct {
		Slot   target.SlotID `json:"slot"`
		Token  string        `json:"token"`
		Holder string        `json:"holder,omitempty"`
		TTL    time.Duration `json:"ttl,omitempty"`
	}
	// Definition asks about a stack before it is made.
	Definition struct {
		Definition target.Definition `json:"definition"`
	}
	// PutStack brings up a stack.
	PutStack struct {
		Stack target.StackSpec `json:"stack"`
		Lease target.Lease     `json:"lease"`
	}
	// Seat names a seat of a slot for an effect.
	Seat struct {
		Slot  target.SlotID `json:"slot"`
		Color target.Color  `json:"color"`
		At    *time.Time    `json:"at,omitempty"`
		Lease target.Lease  `json:"lease"`
	}
	// CheckSlot asks about a slot before anything is made.
	CheckSlot struct {
		Slot target.Slot `json:"slot"`
	}
	// Traffic sets who carries a slot's traffic.
	Traffic struct {
		Slot    target.SlotID  `json:"slot"`
		Traffic target.Traffic `json:"traffic"`
		Drain   time.Duration  `json:"drain,omitempty"`
		Lease   target.Lease   `json:"lease"`
	}
	// Measure asks what a slot's stacks have answered.
	Measure struct {
		Slot target.SlotID `json:"slot"`
		From time.Time     `json:"from"`
	}
	// PutRequest leaves a request for the run that holds a slot.
	PutRequest struct {
		Slot    target.SlotID  `json:"slot"`
		Request target.Request `json:"request"`
	}
	// DeleteRequest removes a request.
	DeleteRequest struct {
		Slot      target.SlotID `json:"slot"`
		RequestID string        `json:"request_id"`
		Lease     target.Lease  `json:"lease"`
	}
	// PutJournal keeps a journal.
	PutJournal struct {
		Journal target.Journal `json:"journal"`
		Lease   target.Lease   `json:"lease"`
	}
	// GetJournal asks for a journal.
	GetJournal struct {
		Slot   target.SlotID `json:"slot"`
		SwapID string        `json:"swap_id"`
	}
	// ReadLogs asks for what instances printed last.
	ReadLogs struct {
		Slot      target.SlotID `json:"slot"`
		Component string        `json:"component"`
		Lines     int           `json:"lines"`
	}
	// PutTask starts a task.
	PutTask struct {
		Task  target.TaskSpec `json:"task"`
		Lease target.Lease    `json:"lease"`
	}
	// Task names a task of a slot.
	Task struct {
		Slot  target.SlotID `json:"slot"`
		Key   string        `json:"key"`
		Lease target.Lease  `json:"lease"`
	}
	// Text is an answer of one word.
	Text struct {
		Text string `json:"text"`
	}
)

// Postgres says where the servers' programs, or a server that the user has, are.
type Postgres struct {
	BinDir string `json:"bin_dir,omitempty"`
	// Repository is the base address of the Maven repository that programs are downloaded
	// from where the machine has none; "" for no download.
	Repository string `json:"repository,omitempty"`
	// URL is a server of the user's, without a password; Password goes with it.
	URL      string `json:"url,omitempty"`
	Password string `json:"password,omitempty"`
}

// Failure is an error on the wire.
type Failure struct {
	Kind    string        `json:"kind"`
	Message string        `json:"message"`
	Held    *target.Lease `json:"held,omitempty"`
	Slot    string        `json:"slot,omitempty"`
	// Made says that it is a [target.MadeError].
	Made bool `json:"made,omitempty"`
}

// kinds are the sentinels that keep their meaning across the wire.
var kinds = []struct {
	name   string
	err    error
	status int
}{
	{"not_found", target.ErrNotFound, http.StatusNotFound},
	{"lease_lost", target.ErrLeaseLost, http.StatusConflict},
	{"serving", target.ErrServing, http.StatusConflict},
	{"foreign", target.ErrForeign, http.StatusConflict},
	{"not_empty", target.ErrNotEmpty, http.StatusConflict},
	{"protected", target.ErrProtected, http.StatusConflict},
	{"vanished", target.ErrVanished, http.StatusGone},
	{"no_installation", target.ErrNoInstallation, http.StatusNotFound},
	{"invalid", target.ErrInvalid, http.StatusUnprocessableEntity},
	{"ending", target.ErrEnding, http.StatusConflict},
	{"unavailable", target.ErrUnavailable, http.StatusConflict},
	{"conflict", target.ErrConflict, http.StatusConflict},
	{"version", ErrVersion, http.StatusUpgradeRequired},
}

// ErrVersion says that client and agent are of versions that do not understand each other.
var ErrVersion = errors.New("another version")

// WriteError answers a request with an error.
func WriteError(w http.ResponseWriter, err error) {
	f, status := Failure{Kind: "internal", Message: err.Error()}, http.StatusInternalServerError
	var made *target.MadeError
	f.Made = errors.As(err, &made)
	var held *target.LeaseHeldError
	if errors.As(err, &held) {
		f.Held, f.Slot = &held.Lease, held.Slot.String()
		f.Held.Token = ""
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			f.Kind, status = k.name, k.status
			break
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(f) // the client is gone if this fails
}

// err is the error that a failure stands for.
func (f Failure) err() error {
	if f.Held != nil {
		id, err := target.ParseSlotID(f.Slot)
		if err != nil {
			return err
		}
		return &target.LeaseHeldError{Slot: id, Lease: *f.Held}
	}
	for _, k := range kinds {
		if k.name == f.Kind {
			return target.MadeIf(f.Made, &target.Error{Kind: k.err, Message: f.Message})
		}
	}
	return target.MadeIf(f.Made, errors.New(f.Message))
}
