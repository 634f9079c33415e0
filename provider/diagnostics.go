package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// noun is a kind of resource in messages.
type noun struct {
	// words is "deployment slot", title "Deployment slot", typeName "slipway_deployment_slot".
	words, title, typeName string
}

func (n noun) summary(verb string) string { return "Unable to " + verb + " " + n.words }

// report adds the error of a verb to diags. The detail is the library's message, which says
// what was awaited, what was seen and what is true now, with what to do about it.
func (n noun) report(ctx context.Context, diags *diag.Diagnostics, verb, id string, err error) {
	detail := n.detail(ctx, id, err)
	if (verb == "update" || verb == "delete") && cutShort(err) {
		detail += "\n\nWhat this run did until then stays, and the next one goes on from there."
	}
	n.say(ctx, diags, verb, id, err, detail)
}

// cutShort says whether a run was ended from outside, and no swap, which says itself how it goes on. Who
// loses a lease ends what it does as well, and says so.
func cutShort(err error) bool {
	var cut *swap.InterruptedError
	var waited *wait.TimeoutError
	return !errors.As(err, &cut) && !errors.Is(err, target.ErrLeaseLost) && (errors.Is(err, context.Canceled) || errors.As(err, &waited))
}

// reportCreate is report of a create that left something. Origin is "" where it left nothing.
func (n noun) reportCreate(ctx context.Context, diags *diag.Diagnostics, id string, origin provision.Origin, err error) {
	detail := n.detail(ctx, id, err)
	switch {
	case errors.Is(err, target.ErrEnding): // nothing goes on with it
	case origin == provision.Made:
		var cut *swap.InterruptedError
		if errors.As(err, &cut) { // which says how a slot goes on that is not tainted
			bare := *cut
			bare.Next = ""
			detail = n.detail(ctx, id, &bare)
		}
		detail += "\n\n" + n.taintedHint()
	case origin != "":
		detail += "\n\n" + n.leftHint(id)
	}
	n.say(ctx, diags, "create", id, err, detail)
}

func (n noun) say(ctx context.Context, diags *diag.Diagnostics, verb, id string, err error, detail string) {
	tflog.Warn(ctx, n.summary(verb), map[string]any{"id": id, "error": err.Error()})
	diags.AddError(n.summary(verb), detail)
}

func (n noun) detail(ctx context.Context, id string, err error) string {
	parts := []string{sentence(err.Error())}
	var exists *provision.ExistsError
	var held *target.LeaseHeldError
	var taken *provision.TakenError
	switch {
	case errors.As(err, &taken):
		parts = append(parts, n.forgetHint())
	case errors.As(err, &exists):
		parts = append(parts, n.importHint(id))
	case errors.As(err, &held):
		parts = append(parts, "Another run is changing this slot. Let it finish and apply again; a run that died is taken over by itself once its lease has ended.")
	case errors.Is(err, target.ErrProtected):
		parts = append(parts, protectedHint)
	case errors.Is(err, target.ErrEnding):
		parts = append(parts, endingHint)
	case errors.Is(err, target.ErrConflict):
		parts = append(parts, "Somebody else changed it at the same time: plan again to see what is true now.")
	case errors.Is(err, target.ErrForeign):
		parts = append(parts, "What is not known to be this installation's is never adopted, changed or removed. Find out whose it is and what it holds before you do anything to it: it may be in use. Then choose another name here, or have whoever it belongs to give the name free.")
	}
	var waited *wait.TimeoutError
	if cutShort(err) && !errors.As(err, &waited) {
		parts = append(parts, "The run was interrupted"+wait.Interruption(context.Canceled)+".")
	}
	var limit, named *limitError
	if errors.As(context.Cause(ctx), &limit) && !errors.As(err, &named) {
		parts = append(parts, sentence(limit.Error()))
	}
	return strings.Join(parts, "\n\n")
}

// warnDrift says how an object differs from its definition, which no attribute shows.
func (n noun) warnDrift(id string, m target.Meta, diags *diag.Diagnostics) {
	switch {
	case m.Ending:
		diags.AddWarning(n.title+" is being removed", fmt.Sprintf("The removal of %q was begun and is not finished: some of it may be gone already, and it can't be changed.\n\n%s", id, endingHint))
	case m.Problem != "" && m.Ready:
		diags.AddWarning(n.title+" differs from its definition", fmt.Sprintf("What is true of %q now: %s\n\nThe next apply repairs it.", id, sentence(m.Problem)))
	case m.Problem != "":
		diags.AddWarning(n.title+" is not finished", fmt.Sprintf("What is true of %q now: %s\n\nWhere the plan says that it is tainted, the next apply would remove it and begin anew: run \"terraform untaint %s.<name>\" first to keep what there is.", id, sentence(m.Problem), n.typeName))
	}
}

// warnLeft says how an object goes on to differ from its definition after an apply that has set it.
func (n noun) warnLeft(id string, problem string, diags *diag.Diagnostics) {
	if problem == "" {
		return
	}
	diags.AddWarning(n.title+" still differs from its definition", fmt.Sprintf("What is true of %q after this apply: %s\n\n"+
		"This apply set it as it is to be, and went on to see what is named here. It works as far as that allows. If somebody else or another tool sets it again, end that. If nobody does, it may take longer to be shown: the next plan tells, and while the difference is there it shows an update, whose apply tries again.", id, sentence(problem)))
}

const protectedHint = "Nothing was removed. Set deletion_protection = false and apply that first, after \"terraform untaint\" if Terraform wants to replace the resource because it is tainted."

const endingHint = "\"terraform destroy\" finishes the removal, or \"terraform apply\" once it is out of the configuration. \"terraform apply -replace=ADDRESS\" finishes it and makes it anew, where ADDRESS is the resource's, such as slipway_environment.production. What is not in the state any more is imported first."

// taintedHint is of what a create has made and could not finish.
func (n noun) taintedHint() string {
	return fmt.Sprintf("What was made of it is in the state, marked as tainted: \"terraform destroy\" removes it, and the next apply removes it and begins anew. To have the next apply go on with it instead, run \"terraform untaint %s.<name>\" first.", n.typeName)
}

// leftHint is of what a create could not finish and must not be removed for that.
func (n noun) leftHint(id string) string {
	return fmt.Sprintf("What there is of it is not in the state: this apply did not begin it, or it may be in use already. The next apply goes on with it. To remove it instead, import it and then destroy it: %s", n.importWays(id))
}

func (n noun) importHint(id string) string {
	return fmt.Sprintf("If this configuration is to own it from now on, import it: %s\n\nOtherwise choose another name.", n.importWays(id))
}

// importWays are the command, which runs where it is typed, and the block, which comes with any run.
func (n noun) importWays(id string) string {
	return fmt.Sprintf("run\n\n  terraform import %[1]s.<name> %[2]s\n\nor, where runs are remote as in HCP Terraform, add this to the configuration and apply:\n\n"+
		"  import {\n    to = %[1]s.<name>\n    id = %[2]q\n  }\n\nwhere <name> is the resource's name in the configuration.", n.typeName, id)
}

func (n noun) forgetHint() string {
	return fmt.Sprintf("If that is right, remove it from this state with \"terraform state rm %s.<name>\"; if this configuration is to own it again, import it once more after that.", n.typeName)
}

// timeLimit gives ctx the deadline of a verb. Whoever sees it pass can say which limit it was.
func timeLimit(ctx context.Context, verb string, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, &limitError{verb, limit})
}

// limitError says that a verb's time is up. It matches [context.DeadlineExceeded].
type limitError struct {
	verb  string
	limit time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("the time limit of %s has passed; timeouts.%s raises it", e.limit, e.verb)
}

func (e *limitError) Unwrap() error { return context.DeadlineExceeded }

// sentence begins with a capital letter, unless with the name of an attribute, and ends with
// a full stop.
func sentence(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if !strings.ContainsAny(first, "_:[") {
		r, n := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(r)) + s[n:]
	}
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "."
}
