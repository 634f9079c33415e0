package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func (l *lab) actionConfig(name string, config map[string]any) *tfprotov6.DynamicValue {
	l.t.Helper()
	s, ok := l.schema.ActionSchemas["slipway_"+name]
	if !ok {
		l.t.Fatalf("there is no action %q", name)
	}
	return l.encode(build(s.Schema.ValueType(), config))
}

// actions is the part of the protocol that came with Terraform 1.14.
func (l *lab) actions() tfprotov6.ActionServer {
	l.t.Helper()
	s, ok := l.server.(tfprotov6.ActionServer)
	if !ok {
		l.t.Fatal("the provider has no actions")
	}
	return s
}

// invoke validates, plans and invokes an action as Terraform does, and returns its progress.
func (l *lab) invoke(name string, config map[string]any) ([]string, diagnostics) {
	l.t.Helper()
	c := l.actionConfig(name, config)
	checked, err := l.actions().ValidateActionConfig(l.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: "slipway_" + name, Config: c})
	l.ok(err)
	if d := diagnostics(checked.Diagnostics); d.errors() {
		return nil, d
	}
	planned, err := l.actions().PlanAction(l.t.Context(), &tfprotov6.PlanActionRequest{ActionType: "slipway_" + name, Config: c})
	l.ok(err)
	if d := diagnostics(planned.Diagnostics); d.errors() {
		return nil, d
	}
	resp, err := l.actions().InvokeAction(l.t.Context(), &tfprotov6.InvokeActionRequest{ActionType: "slipway_" + name, Config: c})
	l.ok(err)
	var progress []string
	var said diagnostics
	for e := range resp.Events {
		switch e := e.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, e.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			said = e.Diagnostics
		}
	}
	return progress, said
}

func TestRollbackByActionIsOneSwitchAndAHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	second := with(aSlot(), set{"release": "2"})
	o := l.changed(l.everything()["deployment_slot"], second)
	progress, d := l.invoke("rollback", set{"deployment_slot_id": "eu/production/oms", "reason": "orders were lost"})
	if len(d) > 0 || len(progress) < 2 {
		t.Fatalf("got %s, progress %q", d, progress)
	}
	if !strings.Contains(progress[0], "rolling back (orders were lost)") || progress[len(progress)-1] != "Release 1 serves all traffic." {
		t.Errorf("progress %q", progress)
	}
	if len(slices.Compact(slices.Clone(progress))) != len(progress) {
		t.Errorf("progress %q tells something twice", progress)
	}
	l.configure()
	o, _ = l.read(o)
	p := l.plan(o, second)
	warned(t, p.diags, `AttributeName("release")`, "by the action slipway_rollback of this state at 2026-11-03T", "orders were lost")
	if _, d := l.apply(p); !d.errors() {
		t.Error("the apply of a release on hold succeeds")
	}
	if got := fmt.Sprint(w.ServedLog(oms)); got != "[1 2 1]" {
		t.Errorf("served %s, want [1 2 1]", got)
	}
	if _, d := l.invoke("rollback", set{"deployment_slot_id": "eu/production/oms"}); !d.errors() || !strings.Contains(d.String(), "Unable to roll back deployment slot") || !strings.Contains(d.String(), "set release to it and apply") {
		t.Errorf("a rollback without a fallback: %s", d)
	}
}

func TestRollbackWithoutAReasonGivesTheDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.changed(l.everything()["deployment_slot"], with(aSlot(), set{"release": "2"}))
	if _, d := l.invoke("rollback", set{"deployment_slot_id": "eu/production/oms"}); len(d) > 0 {
		t.Fatal(d)
	}
	if h := w.slot().Record.Hold; h == nil || h.Reason != "a rollback was asked for" {
		t.Errorf("got hold %+v", h)
	}
}

func TestActionsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.everything()
	for name, c := range map[string]struct {
		action string
		config map[string]any
		at     string
		want   string
	}{
		"a rollback of what is no slot":     {"rollback", set{"deployment_slot_id": "oms"}, `AttributeName("deployment_slot_id")`, "not a deployment slot id"},
		"a rollback for no reason":          {"rollback", set{"deployment_slot_id": "eu/production/oms", "reason": ""}, `AttributeName("reason")`, `the value is ""`},
		"a rollback in no time":             {"rollback", set{"deployment_slot_id": "eu/production/oms", "timeouts": set{"invoke": "0s"}}, `AttributeName("timeouts").AttributeName("invoke")`, "not a time limit"},
		"a promotion of what is no slot":    {"promote", set{"deployment_slot_id": "oms", "release": "2"}, `AttributeName("deployment_slot_id")`, "not a deployment slot id"},
		"a promotion of what is no release": {"promote", set{"deployment_slot_id": "eu/production/oms", "release": "a b"}, `AttributeName("release")`, "contains ' '"},
		"a promotion of nothing":            {"promote", set{"deployment_slot_id": "eu/production/oms", "release": ""}, `AttributeName("release")`, "release"},
		"a promotion of a slot that is not": {"promote", set{"deployment_slot_id": "eu/production/nothing", "release": "2"}, "", "does not exist"},
		"a rollback of a slot that is not":  {"rollback", set{"deployment_slot_id": "eu/production/nothing"}, "", "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			_, d := l.invoke(c.action, c.config)
			if !d.errors() || !strings.Contains(strings.ToLower(d.String()), c.want) || !strings.Contains(d.String(), c.at) {
				t.Errorf("got %s\nwant an error at %s with %q", d, c.at, c.want)
			}
		})
	}
	for name, s := range l.schema.ActionSchemas {
		unsure := map[string]any{}
		for _, a := range s.Schema.Block.Attributes {
			unsure[a.Name] = unknown{}
		}
		resp, err := l.actions().ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{
			ActionType: name, Config: l.actionConfig(strings.TrimPrefix(name, "slipway_"), unsure),
		})
		l.ok(err)
		if len(resp.Diagnostics) > 0 {
			t.Errorf("%s that is not known yet: %s", name, diagnostics(resp.Diagnostics))
		}
	}
}

func TestPromotionByActionLetsTheCandidateTakeTheTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	o := l.changed(l.everything()["deployment_slot"], manual(nil))
	second := manual(set{"release": "2"})
	o = w.waits(l, o, second)
	for release, want := range map[string]string{"3": "release 2 waits", "1": "release 2 waits"} {
		if _, d := l.invoke("promote", set{"deployment_slot_id": "eu/production/oms", "release": release}); !d.errors() || !strings.Contains(d.String(), "Unable to promote deployment slot") || !strings.Contains(d.String(), want) {
			t.Errorf("promote release %s: %s", release, d)
		}
	}
	progress, d := l.invoke("promote", set{"deployment_slot_id": "eu/production/oms", "release": "2"})
	if len(d) > 0 || len(progress) < 3 || progress[len(progress)-1] != "Release 2 serves all traffic." {
		t.Fatalf("got %s, progress %q", d, progress)
	}
	o = l.empty(o, second)
	if at(o.state, "phase") != "live" || at(o.state, "live.release") != "2" || at(o.state, "last_swap.approved_by") != "the action slipway_promote of this state" {
		t.Errorf("the state has phase %v, approved by %v", at(o.state, "phase"), at(o.state, "last_swap.approved_by"))
	}
	if _, d := l.invoke("promote", set{"deployment_slot_id": "eu/production/oms", "release": "2"}); !d.errors() || !strings.Contains(d.String(), "no release waits") {
		t.Errorf("promote what serves: %s", d)
	}
}

// waits applies a configuration whose release waits for approval in the end.
func (w *world) waits(l *lab, o object, config map[string]any) object {
	w.t.Helper()
	l.configure()
	o, d := l.apply(l.plan(o, config))
	if d.errors() || len(d) != 1 || !strings.Contains(d.String(), "Release waits for approval") || at(o.state, "phase") != "awaiting_approval" {
		w.t.Fatalf("phase %v: %s", at(o.state, "phase"), d)
	}
	return l.empty(o, config)
}

func TestActionThatTakesTooLongNamesItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.lab(nil)
	l.changed(l.everything()["deployment_slot"], with(aSlot(), set{"release": "2"}))
	if _, err := w.AcquireLease(t.Context(), oms, "token", "ann", time.Hour); err != nil {
		t.Fatal(err)
	}
	_, d := l.invoke("rollback", set{"deployment_slot_id": "eu/production/oms", "timeouts": set{"invoke": "1ns"}})
	if !d.errors() || !strings.Contains(d.String(), "timeouts.invoke raises it") {
		t.Errorf("got %s", d)
	}
}

func TestActionOfAProviderThatIsNotFullyKnownIsRefused(t *testing.T) {
	t.Parallel()
	l := newWorld(t).lab(map[string]any{"local": map[string]any{"data_dir": unknown{}}})
	if _, d := l.invoke("rollback", set{"deployment_slot_id": "eu/production/oms"}); !strings.Contains(d.String(), "not fully known yet") {
		t.Errorf("got %s", d)
	}
}
