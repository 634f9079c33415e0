//go:build !windows

package platform

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// variables is the environment of a process while it is built up. Nothing is inherited.
type variables []string

func (v *variables) set(name, value string) { *v = append(*v, name+"="+value) }

// base is what every process of a slot gets. dir is its stack's or task's folder.
func (e *environment) base(slot, release, dir string) variables {
	spec := e.spec()
	var v variables
	v.set("PATH", searchPath)
	v.set("HOME", filepath.Join(dir, "home"))
	v.set("TMPDIR", filepath.Join(dir, "tmp"))
	v.set("LANG", "C.UTF-8")
	v.set("SLIPWAY_RELEASE", release)
	v.set("SLIPWAY_REGION", spec.Region)
	v.set("SLIPWAY_ENVIRONMENT", spec.Name)
	v.set("SLIPWAY_KIND", spec.Kind)
	v.set("SLIPWAY_SLOT", slot)
	v.set("SLIPWAY_DOMAIN_NAME", target.LocalDomainName(spec.DomainName))
	return v
}

// add adds what the user configured.
func (v *variables) add(plain, secrets map[string]string) error {
	for _, name := range target.SortedKeys(plain) {
		v.set(name, plain[name])
	}
	for _, name := range target.SortedKeys(secrets) {
		value, err := readSecret(secrets[name])
		if err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
		v.set(name, value)
	}
	return nil
}

func (e *environment) instanceEnvironment(spec target.StackSpec, component string, c target.Component, index, port int) ([]string, error) {
	v := e.base(spec.Slot.Name, spec.Definition.Release, e.files.stack(spec.Slot.Name, spec.SwapID))
	v.set("PORT", strconv.Itoa(port))
	v.set("SLIPWAY_COMPONENT", component)
	v.set("SLIPWAY_COLOR", string(spec.Color))
	v.set("SLIPWAY_INSTANCE", strconv.Itoa(index))
	v.set("SLIPWAY_ACCOUNTS_DIR", e.files.accounts())
	return v, v.add(c.Environment, c.Secrets)
}

// taskEnvironment is a migration's or a test suite's. accounts is the account directory that
// it may use, "" for none.
func (e *environment) taskEnvironment(t target.TaskSpec, dir, accounts string) ([]string, error) {
	v := e.base(t.Slot.Name, t.Release, dir)
	v.set("SLIPWAY_COLOR", string(t.Color))
	if accounts != "" {
		v.set("SLIPWAY_ACCOUNTS_DIR", accounts)
	}
	if t.Kind == target.TaskTest {
		spec := e.spec()
		port := strconv.Itoa(spec.Network.PreviewPort)
		address := spec.Network.ListenAddress
		if ip := net.ParseIP(address); ip != nil && ip.IsUnspecified() {
			address = "127.0.0.1"
		}
		v.set("SLIPWAY_PREVIEW_URL", spec.PreviewURL())
		v.set("SLIPWAY_PREVIEW_ADDRESS", net.JoinHostPort(address, port))
		v.set("SLIPWAY_CA_FILE", filepath.Join(dir, caFile))
	}
	return v, v.add(t.Task.Environment, t.Task.Secrets)
}

// caFile is the local authority's certificate where a process looks for it.
const caFile = "ca.pem"
