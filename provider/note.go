package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// note is what Terraform keeps for us beside the state of a resource, unseen by users.
type note struct {
	// Target is where the object is, Installation the id of the installation there.
	Target       string `json:"target"`
	Installation string `json:"installation"`
	// Unfinished says that the object was last seen with work left, which an update does. A
	// plan must be a function of configuration and state, so the clock is read here only.
	Unfinished bool `json:"unfinished,omitempty"`
	// Unmet says that the last apply failed though the state has nothing left to change: what was
	// changed in place has not come to work yet. The next plan shows that, and its apply waits again.
	Unmet bool `json:"unmet,omitempty"`
	// Repair says that the next update, unless something else is asked for, mends what somebody has
	// changed about a slot, and begins no swap.
	Repair bool `json:"repair,omitempty"`
	// Anew names the outputs that the next update may make anew, of a region those of its
	// environments; see target.AWSResources.
	Anew []string `json:"anew,omitempty"`
	// Owner is who owned the object when this state last wrote or imported it: as long as that
	// stands, the object is this state's, also where the configuration has moved since.
	Owner string `json:"owner,omitempty"`
	// Taker is the owner of another state that has taken the object over since; "" for none.
	Taker string `json:"taker,omitempty"`
}

const noteKey = "slipway"

type noteReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type noteKeeper interface {
	noteReader
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readNote returns the note, the zero note where there is none: the object was imported or
// is being created.
func readNote(ctx context.Context, private noteReader, diags *diag.Diagnostics) note {
	var n note
	b, d := private.GetKey(ctx, noteKey)
	diags.Append(d...)
	if len(b) == 0 {
		return n
	}
	if err := json.Unmarshal(b, &n); err != nil {
		diags.AddError("Unable to read private state", fmt.Sprintf("What Terraform kept for the provider beside the state is not readable: %v.", err))
	}
	return n
}

// writeNote notes the installation as it is now, and whose the object is.
func (c *client) writeNote(ctx context.Context, private noteKeeper, meta target.Meta, unfinished bool, diags *diag.Diagnostics) {
	old := readNote(ctx, private, diags)
	n := note{Target: c.settings.Target, Unfinished: unfinished, Unmet: old.Unmet, Owner: old.Owner}
	switch {
	case n.Owner == "" || meta.Owner == c.settings.Owner:
		n.Owner = meta.Owner
	case n.Owner != meta.Owner:
		n.Taker = meta.Owner
	}
	id, err := c.installation(ctx)
	if err != nil {
		diags.AddWarning("Unable to note the installation", sentence(err.Error()))
		return
	}
	n.Installation = id
	n.write(ctx, private, diags)
}

// noteUnmet notes whether the last apply failed though the state has nothing left to change.
func noteUnmet(ctx context.Context, private noteKeeper, unmet bool, diags *diag.Diagnostics) {
	if n := readNote(ctx, private, diags); n.Unmet != unmet {
		n.Unmet = unmet
		n.write(ctx, private, diags)
	}
}

// noteAnew notes which outputs the next update may make anew.
func noteAnew(ctx context.Context, private noteKeeper, names []string, diags *diag.Diagnostics) {
	if len(names) == 0 {
		return
	}
	n := readNote(ctx, private, diags)
	n.Anew = names
	n.write(ctx, private, diags)
}

// anewOf names those of an environment.
func anewOf(status target.EnvironmentStatus) []string {
	if status.AWS == nil {
		return nil
	}
	return status.AWS.Anew
}

func (n note) write(ctx context.Context, private noteKeeper, diags *diag.Diagnostics) {
	b, err := json.Marshal(n)
	if err != nil {
		diags.AddError("Unable to write private state", sentence(err.Error()))
		return
	}
	diags.Append(private.SetKey(ctx, noteKey, b)...)
}

// sameInstallation refuses to go on where the target is not the installation that holds the
// object: what is not found there may well exist.
func (c *client) sameInstallation(ctx context.Context, private noteReader, n noun, verb, id string, diags *diag.Diagnostics) bool {
	kept := readNote(ctx, private, diags)
	if diags.HasError() {
		return false
	}
	if kept.Target != "" && kept.Target != c.settings.Target {
		diags.AddError(n.summary(verb), fmt.Sprintf("%s %q was made on the %s target, and the provider's target is %q now. A state belongs to one installation of one target: what it holds is not there, and is not moved. Set target back to %q; for %s begin with a state of its own, such as another workspace. The state was left as it is.", n.title, id, kept.Target, c.settings.Target, kept.Target, c.settings.Target))
		return false
	}
	expected := kept.Installation
	ask := c.installation
	if verb == "delete" {
		ask = c.driver.Installation
	}
	actual, err := ask(ctx)
	switch {
	case errors.Is(err, target.ErrNoInstallation) && expected == "":
		diags.AddError(n.summary(verb), fmt.Sprintf("There is no installation of Slipway in %s, so %s %q can't be looked up there. %s", c.driver.Where(), n.words, id, c.pointHint()))
	case errors.Is(err, target.ErrNoInstallation):
		diags.AddError(n.summary(verb), fmt.Sprintf("%s %q belongs to installation %s, and there is no installation in %s. %s", n.title, id, expected, c.driver.Where(), c.lostHint()))
	case err != nil:
		n.report(ctx, diags, verb, id, err)
	case expected != "" && expected != actual:
		diags.AddError(n.summary(verb), fmt.Sprintf("%s %q belongs to installation %s, and %s holds another one, %s. %s", n.title, id, expected, c.driver.Where(), actual, c.lostHint()))
	default:
		return true
	}
	return false
}

// pointHint says how another installation is chosen.
func (c *client) pointHint() string {
	if c.settings.Target == targetAWS {
		return "Point the provider to the right one by AWS account and by aws.region, which is its home."
	}
	return "Point the provider to the right one with local.data_dir or SLIPWAY_DATA_DIR."
}

func (c *client) lostHint() string {
	return "The state was left as it is. " + c.pointHint() + " If it is gone, restore it from a backup; if it is gone for good, remove its resources from the state with \"terraform state rm\"."
}

// holding works in the name of the owner that this state holds an object of, too.
func (c *client) holding(ctx context.Context, private noteReader, diags *diag.Diagnostics) *provision.Provisioner {
	return c.Holding(readNote(ctx, private, diags).Owner)
}

// refuseTakenOver refuses at plan to change what another state has taken over, and says so where
// nothing is to change.
func (c *client) refuseTakenOver(n noun, kept note, id string, changes bool, diags *diag.Diagnostics) {
	if kept.Taker == "" {
		return
	}
	why := sentence((&provision.TakenError{Noun: n.words, ID: id, Owner: kept.Taker, Holder: c.settings.Owner}).Error()) + " " + n.forgetHint()
	if changes {
		diags.AddError(n.summary("plan"), why)
		return
	}
	diags.AddWarning("Another state owns what this one holds", why)
}
