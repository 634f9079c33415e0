package target

import "time"

// Meta is what a target stores beside the definition of every object that it holds.
type Meta struct {
	// Owner says which Terraform state made the object (or imported and changed it).
	Owner string `json:"owner"`
	// Generation is 1 after the create and goes up with every change of the definition.
	Generation int64 `json:"generation"`
	// Ready is false until the create has finished. Deletion protection counts only then.
	Ready bool `json:"ready"`
	// Problem is what keeps an unfinished object from being finished; empty if nothing does.
	Problem string `json:"problem,omitempty"`
	// Stuck says that the problem will not go away by waiting.
	Stuck bool `json:"stuck,omitempty"`
	// Ending says that its removal was begun and is not finished; Problem says so to people. A
	// driver finds it when it reads, and refuses a Put with [ErrEnding].
	Ending bool `json:"ending,omitempty"`
	// CreatedAt and ChangedAt are in UTC.
	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`
}

// PutOptions go with every Put of a definition.
type PutOptions struct {
	// Owner becomes the object's owner.
	Owner string `json:"owner"`
	// IfGeneration is the generation the caller believes the object to be at: 0 for "it does
	// not exist". A target refuses a Put that found another one with [ErrConflict], except
	// where the answer of this very Put was lost: the stored object is at IfGeneration+1, of
	// the same owner and the same definition. Then it goes on with it and succeeds.
	IfGeneration int64 `json:"if_generation"`
}
