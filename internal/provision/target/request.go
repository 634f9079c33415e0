package target

import (
	"context"
	"time"
)

// RequestRollBack is the kind of a request to send the traffic of a swap back.
const RequestRollBack = "roll_back"

// Request is what somebody asks of the run that holds a slot's lease. It is done, or refused,
// at the next look of that run, or of the one that resumes it.
type Request struct {
	// ID is unique to the request.
	ID string `json:"id"`
	// Kind is [RequestRollBack].
	Kind string `json:"kind"`
	// SwapID is the swap that the request is about; it means nothing to any other one.
	SwapID string    `json:"swap_id"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Answer says what became of a request.
type Answer struct {
	RequestID string    `json:"request_id"`
	By        string    `json:"by"` // who had asked
	At        time.Time `json:"at"`
	// Refusal is why it was not done, "" where it was.
	Refusal string `json:"refusal,omitempty"`
}

// Requests holds at most one request for each slot.
type Requests interface {
	// PutRequest leaves a request and returns the one that stands: of two about the same swap
	// the first. One about another swap is replaced. It needs no lease, may be repeated, and
	// refuses with ErrNotFound where the slot has no record.
	PutRequest(ctx context.Context, id SlotID, r Request) (Request, error)
	// DeleteRequest removes the request with an id. One that is not there is success.
	DeleteRequest(ctx context.Context, id SlotID, requestID string, l Lease) error
}

// Standing is the request that stands once next is put where current was, which may be none.
func Standing(current *Request, next Request) Request {
	if current != nil && current.SwapID == next.SwapID {
		return *current
	}
	return next
}
