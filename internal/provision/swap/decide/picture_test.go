package decide_test

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// split says that green has a percentage of the traffic.
func split(percent int) func(*picture) {
	return func(p *picture) {
		p.candidate()
		st := p.Seen.Stacks[target.Green]
		st.RetireAt = nil
		p.Seen.Stacks[target.Green] = st
		p.Seen.Percent = percent
		frozen(p)
	}
}

// steps asks for two shares before all of the traffic.
func steps(p *picture) {
	p.Want.Policy.Steps = []target.TrafficStep{{Percent: 10, HoldSeconds: 20}, {Percent: 50, HoldSeconds: 20}}
	limited(func(*target.Guardrails) {})(p)
}

func limited(change func(*target.Guardrails)) func(*picture) {
	return func(p *picture) {
		p.Want.Policy.Guardrails = target.Guardrails{WindowSeconds: 30, MinimumRequests: 20, MaxErrorPercent: new(5.0)}
		change(&p.Want.Policy.Guardrails)
	}
}

func cautious(p *picture) {
	limited(func(*target.Guardrails) {})(p)
	p.Want.Policy.OnTooFewRequests = target.VerdictRollBack
}

func baked(p *picture) { p.Want.Policy.BakeSeconds = 10 }

func noWindow(p *picture) { p.Want.Policy.FallbackWindowSeconds = 0 }

func passed(n int) func(*picture) { return func(p *picture) { p.Record.Swap.StepsPassed = n } }

// watched says that the share that green has is watched for so many seconds by now.
func watched(seconds int) func(*picture) {
	return func(p *picture) {
		at := noon.Add(-time.Duration(seconds) * time.Second)
		p.Record.Swap.Phase, p.Record.Swap.WatchedFrom, p.Watched = target.PhaseWatching, &at, &at
	}
}

func measured(green, blue target.Measurement) func(*picture) {
	return func(p *picture) {
		p.Recent = map[target.Color]target.Measurement{target.Green: green, target.Blue: blue}
		p.Whole = p.Recent
	}
}

func ok(requests int64) target.Measurement { return bad(requests, 0) }

func bad(requests, errors int64) target.Measurement {
	return target.Measurement{From: noon.Add(-10 * time.Second), To: noon, Requests: requests, Errors: errors, P50Milliseconds: 10, P99Milliseconds: 100}
}

// frozen says that the old stack's size is held.
func frozen(p *picture) {
	st := p.Seen.Stacks[target.Blue]
	st.Spec.Capacity = map[string]int{"api": 1, "mailer": 1}
	p.Seen.Stacks[target.Blue] = st
}

// held says that the old workers have stopped.
func held(p *picture) { p.stand(target.Blue, "1", "s1", true) }

// unheld says that a stack's workers may run, and do.
func unheld(st target.StackStatus) target.StackStatus {
	st.Spec.HoldWorkers = false
	return st
}

// startedBySomebody says that a worker of the fallback is to run, though it is held.
func startedBySomebody(p *picture) {
	st := p.Seen.Stacks[target.Green]
	st.Scale["mailer"] = 1
	p.Seen.Stacks[target.Green] = st
}

func unprobed(p *picture) { p.Record.Swap.Probed = false }

// manual asks for approval within ten minutes.
func manual(p *picture) {
	p.Want.Policy.Approval, p.Want.Policy.ApprovalTimeoutSeconds = target.ApprovalManual, 600
	p.Record.Swap.PhaseAt = noon
}

// asReuse makes the swap one back to a fallback, which serves.
func asReuse(p *picture) {
	p.Record.Swap.Reuse = true
	p.Record.Passed[target.Green] = target.Passed{SwapID: "s2", Release: "2", Fingerprint: "fp-2"}
}

// pair gives green a second instance.
func pair(p *picture) {
	st := p.Seen.Stacks[target.Green]
	second := st.Instances[0]
	second.Index = 2
	st.Instances = append(st.Instances, second)
	st.Spec.Capacity["api"], st.Scale["api"] = 2, 2
	p.Seen.Stacks[target.Green] = st
}

// working says that a worker of green has run for long.
func working(p *picture) {
	st, since := unheld(p.Seen.Stacks[target.Green]), noon.Add(-time.Minute)
	st.Instances = append(st.Instances, target.InstanceStatus{Component: "mailer", Index: 1, Running: true, Healthy: true, HealthySince: &since})
	p.Seen.Stacks[target.Green] = st
}

// sickSince makes the last instance of green lose its health some time ago.
func sickSince(d time.Duration) func(*picture) {
	return func(p *picture) {
		all := p.Seen.Stacks[target.Green].Instances
		since := noon.Add(-d)
		i := &all[len(all)-1]
		i.Healthy, i.UnhealthySince = false, &since
	}
}

// requested says that an operator asks for a rollback of a swap.
func requested(swapID string) func(*picture) {
	return func(p *picture) {
		p.Seen.Request = &target.Request{ID: "r", Kind: target.RequestRollBack, SwapID: swapID, By: "an operator", Reason: "orders were lost", At: noon}
	}
}

func answered(p *picture) { p.Record.Swap.Answered = &target.Answer{RequestID: "r"} }
