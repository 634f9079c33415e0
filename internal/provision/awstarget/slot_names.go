package awstarget

import (
	"fmt"
	"strconv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// unit is a component of one stack that was put into a seat of a slot. Attempt counts the
// stacks of the slot: a service that is still on its way out blocks its name.
type unit struct {
	slot      target.SlotID
	color     target.Color
	attempt   int
	component string
	// nonce tells it from one of a slot of the same name that was removed; "" in seats of earlier versions.
	nonce string
}

// parts are what makes a unit the only one in an AWS account and region.
func (p unit) parts() []string {
	return []string{p.slot.Environment.Region, p.slot.Environment.Name, p.slot.Name, p.component, string(p.color), strconv.Itoa(p.attempt)}
}

func (p unit) readable() string { return fmt.Sprintf("%s-%s-%s", p.slot.Name, p.component, p.color) }

// service is at most 255 characters (CreateService).
func (p unit) service() string {
	return hashed(200, fmt.Sprintf("%s-%d", p.readable(), p.attempt), p.parts()...)
}

// family is that of the task definition, at most 255 characters (RegisterTaskDefinition). The
// attempt makes each stack's its own: it has one revision.
func (p unit) family() string { return familyPrefix + p.service() }

// familyPrefix begins the names of all task definitions, which are the AWS account's.
const familyPrefix = "slipway-"

// targetGroup is at most 32 characters (CreateTargetGroup).
func (p unit) targetGroup() string { return hashed(32, p.readable(), p.parts()...) }

// mark is the tag that tells what belongs to the unit.
func (p unit) mark() string {
	return fmt.Sprintf("slot/%s/%s/%s/%d", p.slot.Name, p.component, p.color, p.attempt)
}

// streams begins the names of its log streams: "slot/oms/api/blue-3".
func (p unit) streams() string {
	return fmt.Sprintf("slot/%s/%s/%s-%d", p.slot.Name, p.component, p.color, p.attempt)
}

// token is the client token of its service, at most 36 characters (CreateService). A token is never to be used for
// another service.
func (p unit) token() string {
	parts := append(p.parts(), "service")
	if p.nonce != "" {
		parts = append(parts, p.nonce)
	}
	return digest(16, parts...)
}

// taskUnit is one run of a task. Nonce tells it from an earlier run under the same key that was
// forgotten.
type taskUnit struct {
	slot       target.SlotID
	key, nonce string
}

func (p taskUnit) parts() []string {
	return []string{p.slot.Environment.Region, p.slot.Environment.Name, p.slot.Name, "task", p.key, p.nonce}
}

func (p taskUnit) family() string {
	return familyPrefix + hashed(100, p.slot.Name+"-task", p.parts()...)
}

func (p taskUnit) mark() string { return fmt.Sprintf("slot/%s/task/%s", p.slot.Name, p.nonce) }

func (p taskUnit) streams() string { return fmt.Sprintf("slot/%s/task", p.slot.Name) }

// token is the client token of the run, at most 64 characters (RunTask).
func (p taskUnit) token() string { return digest(32, p.parts()...) }
