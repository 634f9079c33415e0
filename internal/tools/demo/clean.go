package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

// endLimit is how long processes may take to end after the platform is gone.
const endLimit = 30 * time.Second

// cleanUp destroys the platform, makes sure that nothing of it runs, and removes the folder.
func cleanUp(ctx context.Context, n *narrator, p place) error {
	if !p.used() {
		n.say("there is no demo in %s: nothing to remove", p.dir)
		return nil
	}
	unlock, err := p.take()
	if err != nil {
		return err
	}
	defer unlock()
	if err := takeDown(ctx, n, p); err != nil {
		return err
	}
	if err := waitForEnd(ctx, n, p.dir); err != nil {
		return err
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove the demo's folder: %w", err)
	}
	n.say("nothing of it runs; %s is removed", p.dir)
	return nil
}

// takeDown destroys by Terraform what Terraform knows. Where Terraform or its state is lost,
// the agent stops everything that it runs; its data goes with the folder.
func takeDown(ctx context.Context, n *narrator, p place) error {
	w := workspace{place: p, narrator: n}
	var destroyed error
	if w.hasState() {
		if w.binary, destroyed = terraform.Find(ctx, n.say); destroyed == nil {
			n.say("terraform destroy")
			destroyed = w.destroy(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if destroyed != nil {
			n.say("%s", destroyed)
		}
	}
	if w.hasState() && destroyed == nil || !isThere(p.data()) || !isThere(p.provider()) {
		return nil
	}
	n.say("having the agent stop everything")
	out, err := exec.CommandContext(ctx, p.provider(), "agent", "stop", "--data-dir", p.data()).CombinedOutput()
	if err != nil {
		return errors.Join(destroyed, fmt.Errorf("agent stop: %w\n%s", err, out))
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// waitForEnd waits until no process of the demo is left, and names those that stay.
func waitForEnd(ctx context.Context, n *narrator, dir string) error {
	limit, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := processesOf(limit, dir)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			for _, process := range left {
				n.say("still running: %s", process)
			}
			return fmt.Errorf("wait for %d process(es) of the demo to end: %w; %s is kept", len(left), limit.Err(), dir)
		}
	}
}
