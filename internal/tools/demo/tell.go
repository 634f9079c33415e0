package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

// liveSlot is the slot that the load goes to.
const liveSlot = "eu/production/oms"

// teller tells the story of the demo, chapter by chapter.
type teller struct {
	*narrator
	workspace workspace
	platform  platform
}

// tell is the whole story. It leaves the platform running.
func tell(ctx context.Context, n *narrator, p place, repository string) error {
	n.title("Build (everything is kept in %s)", p.dir)
	binary, err := terraform.Find(ctx, n.say)
	if err != nil {
		return err
	}
	n.say("with %s", binary)
	if err := build(ctx, n, p, repository); err != nil {
		return err
	}
	t := &teller{narrator: n, workspace: workspace{place: p, narrator: n, binary: binary}}
	if err := t.workspace.prepare(ctx, filepath.Join(repository, "examples", "quickstart")); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{
		t.bringUp, t.isolate, t.rollOut, t.switchBack, t.refuse,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return t.leave()
}

// bringUp applies the configuration with release 1.
func (t *teller) bringUp(ctx context.Context) (err error) {
	t.title("Apply: one region, production and sandbox, two accounts, release 1")
	if err := t.workspace.apply(ctx, "1"); err != nil {
		return err
	}
	if t.platform, err = readPlatform(ctx, t.workspace); err != nil {
		return err
	}
	for _, environment := range []string{"production", "sandbox"} {
		for _, account := range t.platform.accounts() {
			t.say("%s", t.platform.addresses[environment][account])
		}
	}
	return nil
}

// isolate shows that an order of one account is nowhere else.
func (t *teller) isolate(ctx context.Context) error {
	t.title("An order of acme is in acme's database, and not in globex's")
	acme, err := t.platform.shop("acme")
	if err != nil {
		return err
	}
	defer acme.close()
	globex, err := t.platform.shop("globex")
	if err != nil {
		return err
	}
	defer globex.close()
	release, err := acme.place(ctx, order{Item: "anvil", Quantity: 1, Key: "the-first-order"})
	if err != nil {
		return err
	}
	t.say("acme orders an anvil; release %s takes the order", release)
	for _, customer := range []struct {
		*shop
		want int
	}{{acme, 1}, {globex, 0}} {
		orders, err := customer.orders(ctx)
		if err != nil {
			return err
		}
		t.say("%-8s sees %d order(s)", customer.account, len(orders))
		if len(orders) != customer.want {
			return fmt.Errorf("%s sees %d orders, expected %d", customer.account, len(orders), customer.want)
		}
	}
	return nil
}

// rollOut swaps release 1 for release 2 and shows its phases.
func (t *teller) rollOut(ctx context.Context) error {
	t.title("Roll out release 2 while customers order")
	stop, err := follow(ctx, t.narrator, t.workspace.place)
	if err != nil {
		return err
	}
	r, lost, changed := t.underLoad(ctx, func() error {
		defer stop()
		return t.workspace.apply(ctx, "2")
	})
	if err := errors.Join(changed, lost); err != nil {
		return err
	}
	s, err := t.serving(ctx, "2")
	if err != nil {
		return err
	}
	if s.Swap.SwitchedAt == nil {
		return fmt.Errorf("slot %s serves release 2 and does not say since when", liveSlot)
	}
	if late := r.LastAnswer["1"].Sub(*s.Swap.SwitchedAt); late > 0 {
		t.say("from the switch to the last answer by release 1: %s", late.Round(10*time.Microsecond))
	} else {
		t.say("from the switch to the last answer by release 1: 0 (it came %s before)", (-late).Round(10*time.Microsecond))
	}
	return nil
}

// switchBack goes back to release 1, which still runs.
func (t *teller) switchBack(ctx context.Context) error {
	t.title("Switch back to release 1, which stays ready for half an hour")
	var took time.Duration
	_, lost, changed := t.underLoad(ctx, func() error {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		return t.workspace.apply(ctx, "1")
	})
	if err := errors.Join(changed, lost); err != nil {
		return err
	}
	s, err := t.serving(ctx, "1")
	if err != nil {
		return err
	}
	if s.Swap.SwitchedAt == nil {
		return fmt.Errorf("slot %s serves release 1 and does not say since when", liveSlot)
	}
	t.say("switched %s after it was asked; terraform apply took %s in all",
		s.Swap.SwitchedAt.Sub(s.Swap.StartedAt).Round(time.Millisecond), took.Round(time.Millisecond))
	return nil
}

// refuse shows that a release whose tests fail never serves.
func (t *teller) refuse(ctx context.Context) error {
	t.title("Try release 3, which has a bug: terraform apply has to refuse it")
	r, lost, changed := t.underLoad(ctx, func() error { return t.workspace.apply(ctx, "3") })
	if lost != nil {
		return errors.Join(lost, changed)
	}
	var refused refusal
	if !errors.As(changed, &refused) {
		return errors.Join(errors.New("release 3 was not refused"), changed)
	}
	for _, d := range refused {
		t.say("%s", d)
	}
	if n := r.Sent - r.ByRelease["1"]; n > 0 {
		return fmt.Errorf("%d orders were not taken by release 1", n)
	}
	if _, err := t.serving(ctx, "1"); err != nil {
		return err
	}
	t.say("refused, as it should be; release 1 took every order")
	return t.workspace.release("1")
}

// serving checks which release the live slot serves.
func (t *teller) serving(ctx context.Context, release string) (agentapi.SlotSurvey, error) {
	s, err := t.workspace.slot(ctx, liveSlot)
	if err != nil {
		return s, err
	}
	if s.Serving != release {
		return s, fmt.Errorf("slot %s serves release %q, expected %q", liveSlot, s.Serving, release)
	}
	return s, nil
}

// leave says how to look at what is there.
func (t *teller) leave() error {
	acme, err := t.platform.shop("acme")
	if err != nil {
		return err
	}
	t.title("Done. The platform keeps running")
	t.say("look:    curl --cacert %s --resolve %s:127.0.0.1 '%s/api/orders?count'", t.workspace.ca(), acme.base.Host, acme.base.String())
	t.say("change:  cd %s && export TF_CLI_CONFIG_FILE=%s && %s plan", t.workspace.work(), t.workspace.rc(), t.workspace.binary.Path)
	t.say("watch:   %s agent status --data-dir %s", t.workspace.provider(), t.workspace.data())
	t.say("remove:  make demo-clean")
	return nil
}
