package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// What a stack of the local target needs on this machine is looked at for warnings only: a
// resource that Terraform applies before the slot may make it.

// missing says what a new stack would not find on this machine. Definition is expanded.
func missing(d target.Definition) target.Faults {
	var f target.Faults
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		f = append(f, missingFor("components."+name, c.Command, c.Secrets)...)
	}
	if t := d.Migrate; t != nil {
		f = append(f, missingFor("migrate", t.Command, t.Secrets)...)
	}
	if t := d.TestSuite; t != nil {
		f = append(f, missingFor("test_suite", t.Command, t.Secrets)...)
	}
	return f
}

func missingFor(at string, command []string, secrets map[string]string) target.Faults {
	var f target.Faults
	if len(command) > 0 && filepath.IsAbs(command[0]) {
		if why := unusableProgram(command[0]); why != "" {
			f = append(f, target.Fault{Path: at + ".command.0", Message: why})
		}
	}
	for _, name := range target.SortedKeys(secrets) {
		if why := unusableSecret(secrets[name]); why != "" {
			f = append(f, target.Fault{Path: at + ".secrets." + name, Message: why})
		}
	}
	return f
}

const madeByApply = "; if this apply makes it, name the resource that does in depends_on of the slot"

func unusableProgram(path string) string {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("there is no program %q on this machine: install it, or correct the path%s", path, madeByApply)
	case err != nil:
		return fmt.Sprintf("the program can't be looked at: %v", err)
	case !info.Mode().IsRegular():
		return fmt.Sprintf("%q is not a file that can be run: name the program itself", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Sprintf("%q has mode %04o and can't be run: chmod +x it%s", path, info.Mode().Perm(), madeByApply)
	}
	return ""
}

// unusableSecret never repeats the path: it could be the secret itself, by mistake.
func unusableSecret(path string) string {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist on this machine: write the value into a file of mode 0600 there" + madeByApply
	case err != nil:
		return "the file can't be looked at: make it one of mode 0600 that holds the value"
	case !info.Mode().IsRegular():
		return "this is not a file: name a file of mode 0600 that holds the value"
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("the file has mode %04o and others can read it: chmod 600 it", info.Mode().Perm())
	}
	return ""
}

// warnMissing warns of what a new stack would not find. A stack that stands is not looked at.
func (r *deploymentSlotResource) warnMissing(slot target.Slot, before *target.Slot, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() || r.client.settings.Target != targetLocal || before != nil && target.Same(before.Definition, slot.Definition) {
		return
	}
	for _, f := range missing(slot.Definition.Expand()) {
		at, beyond := faultPath(req.Config.Raw, f.Path)
		summary := "Program can't be run" // Terraform shows one warning of a summary and counts the others
		if strings.Contains(f.Path, ".secrets.") {
			summary = "Secret can't be read"
		}
		resp.Diagnostics.AddAttributeWarning(at, summary, sentence(at.String()+beyond+": "+f.Message)+fmt.Sprintf(" Otherwise the apply of slot %q fails before it changes any traffic.", slot.ID()))
	}
}

// portTaken says whether some process listens where an entrance is to.
func portTaken(ctx context.Context, address string, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err == nil {
		_ = l.Close()
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

// warnTaken warns where another process listens on a port that is new to the environment.
// Ports that environments of this target have are theirs, and checked between them.
func (r *environmentResource) warnTaken(ctx context.Context, e target.Environment, before *target.Environment, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !r.client.ready() || r.client.settings.Target != targetLocal || before != nil && before.Network == e.Network {
		return
	}
	all, _, err := found(r.client.ListEnvironments(ctx))
	if err != nil {
		return // said where the environment itself is looked up
	}
	own := map[int]bool{}
	for _, other := range all {
		own[other.Spec.Network.HTTPSPort], own[other.Spec.Network.PreviewPort] = true, true
	}
	for _, p := range []struct {
		path string
		port int
	}{{"network.https_port", e.Network.HTTPSPort}, {"network.preview_port", e.Network.PreviewPort}} {
		if own[p.port] || !r.client.portTaken(ctx, e.Network.ListenAddress, p.port) {
			continue
		}
		at, beyond := faultPath(req.Config.Raw, p.path)
		resp.Diagnostics.AddAttributeWarning(at, "Port is taken", fmt.Sprintf("%s%s: another process listens on port %d of %s, where environment %q is to answer. Stop it before the apply, or set %s to a free port.", at, beyond, p.port, e.Network.ListenAddress, e.ID(), p.path))
	}
}
