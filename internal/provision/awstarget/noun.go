package awstarget

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// noun is a region, an environment or an account database while it is looked at or worked on.
type noun struct {
	target  *Target
	clients *clients // of the AWS region where it is

	// installation, region, environment and account are what its parts are marked with.
	installation, region, environment, account string
	// above is the noun whose definition has the tags, nil where it is this one's.
	above *noun
	// regionKey is the id of the region's key, for what is in a region.
	regionKey string

	table table
	key   key
	// known says of what has no record that it was made.
	known bool
	// token is the lease of its row under which it is worked on.
	token string

	// document is the row's, as it was when the noun was last loaded.
	document document

	mu    sync.Mutex
	facts map[string]string
	// lost are the marks of what a check has found gone: a put makes it anew.
	lost map[string]bool
}

// document is what the row of a region, an environment or an account database holds.
type document struct {
	Record json.RawMessage `json:"record"`
	// Facts are the ids that AWS chose for its parts, and what was begun.
	Facts map[string]string `json:"facts,omitempty"`
	// Ending says that it is being removed: nothing new may come into it.
	Ending bool `json:"ending,omitempty"`
}

// load reads the noun's row; one without a document is target.ErrNotFound.
func (n *noun) load(ctx context.Context) error {
	r, err := n.table.get(ctx, n.key)
	if gone(err) != nil {
		return err
	}
	if r.version == 0 {
		return target.Errorf(target.ErrNotFound, "%s does not exist", n.key)
	}
	n.document, err = decode[document](r)
	n.facts = maps.Clone(n.document.Facts)
	return err
}

// userTags are the tags of the noun's definition.
func (n *noun) userTags() map[string]string {
	if n.above != nil {
		return n.above.userTags()
	}
	var rec struct {
		Spec struct {
			Tags map[string]string `json:"tags"`
		} `json:"spec"`
	}
	// What is no record has no tags; it is refused where it is read.
	_ = json.Unmarshal(n.document.Record, &rec)
	return rec.Spec.Tags
}

// fact is what was saved under a name, "" for nothing.
func (n *noun) fact(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.facts[name]
}

// save stores a fact in the noun's row; "" takes it away. It is refused once the lease is lost.
func (n *noun) save(ctx context.Context, name, value string) error {
	return n.saveAll(ctx, name, map[string]string{name: value})
}

// saveAll stores facts in one write. Name says whose they are.
func (n *noun) saveAll(ctx context.Context, name string, values map[string]string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	facts := map[string]string{}
	maps.Copy(facts, n.facts)
	for name, value := range values {
		if facts[name] = value; value == "" {
			delete(facts, name)
		}
	}
	if maps.Equal(facts, n.facts) {
		return nil
	}
	err := n.table.modify(ctx, n.key, leased(n.token, n.target.now()), func(d *document) error {
		d.Facts = facts
		return nil
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	n.facts = facts
	return nil
}

// modify changes a row's document, anew where another one came between.
func (t table) modify(ctx context.Context, k key, g guard, change func(*document) error) error {
	r, err := t.get(ctx, k)
	for err == nil {
		var d document
		if d, err = decode[document](r); err != nil {
			break
		}
		if err = change(&d); err != nil {
			break
		}
		var next row
		if next, err = encode(r, d); err != nil {
			break
		}
		if next.document == r.document {
			return nil
		}
		var stored row
		if stored, err = t.save(ctx, next, g); !errors.Is(err, target.ErrConflict) {
			return err
		}
		if stored.version == r.version {
			return target.Errorf(target.ErrLeaseLost, "%s is worked on by %s", k, stored.lease.Holder)
		}
		r, err = stored, nil
	}
	return err
}

// exclusively works on a noun under the lease of its row. It waits for whoever has it, and finds
// the noun as that one left it.
func (n *noun) exclusively(ctx context.Context, work func(context.Context) error) error {
	return n.alone(ctx, func(ctx context.Context) error {
		if err := n.load(ctx); err != nil {
			return err
		}
		return work(ctx)
	})
}

// alone is exclusively of what need not be there. Nothing is loaded.
func (n *noun) alone(ctx context.Context, work func(context.Context) error) error {
	n.token = rand.Text()
	if err := n.lock(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := n.target.clock.Every(leaseTTL/3, func() {
		if err := n.beat(ctx); err != nil && !errors.Is(err, target.ErrUnavailable) {
			cancel(err)
		}
	})
	err := work(ctx)
	stop()
	if cause := context.Cause(ctx); cause != nil && errors.Is(cause, target.ErrLeaseLost) {
		err = errors.Join(cause, err)
	}
	cancel(nil)
	return errors.Join(err, n.unlock(ctx))
}

// unlock gives the lease back, also when ctx has ended, and removes a row that held nothing else.
func (n *noun) unlock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := n.table.release(ctx, n.key, n.token); err != nil {
		return err
	}
	if err := n.table.erase(ctx, row{key: n.key}); !errors.Is(err, target.ErrConflict) {
		return err
	}
	return nil
}

// request is the token of a create, saved before it is sent: AWS answers a repeated create with
// the first one's thing. Requested ends it when the thing is known, so that another one can be
// made in its place. Both are in one write: the token of what is known must not be there for the
// next request.
func (n *noun) request(ctx context.Context, mark string) (string, error) {
	if token := n.fact(mark + requestSuffix); token != "" {
		return token, nil
	}
	token := rand.Text()
	return token, n.save(ctx, mark+requestSuffix, token)
}

func (n *noun) requested(ctx context.Context, mark, fact, value string) error {
	return n.saveAll(ctx, fact, map[string]string{fact: value, mark + requestSuffix: ""})
}

const requestSuffix = "_request"

// uninterrupted is for a create that AWS would carry out twice: its answer is awaited, and what
// it made is saved, though the run is told to stop or another part has failed.
func uninterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// lock waits for the lease of the noun's row. A run that ends before it has the lease says whose it is.
func (n *noun) lock(ctx context.Context) error {
	var held target.Lease
	err := n.target.until(ctx, "the lease of "+n.key.String(), func(ctx context.Context) (status, bool, error) {
		l, err := n.renew(ctx)
		if errors.Is(err, target.ErrConflict) {
			held = l
			return status("held by " + l.Holder), false, nil
		}
		return "taken", err == nil, err
	})
	var ended *wait.TimeoutError
	if held.Holder == "" || !errors.As(err, &ended) {
		return err
	}
	return fmt.Errorf("%s is being changed by another run (%s): this one no longer waits for that one (%w), and changed nothing of it meanwhile. Let the other run finish and apply again. If it died, its lease ends by itself at %s, and the next apply takes over",
		n.key, held.Holder, ended, held.ExpiresAt.Format(time.RFC3339))
}

func (n *noun) beat(ctx context.Context) error {
	l, err := n.renew(ctx)
	if errors.Is(err, target.ErrConflict) {
		return target.Errorf(target.ErrLeaseLost, "%s was taken over by %s", n.key, l.Holder)
	}
	return err
}

func (n *noun) renew(ctx context.Context) (target.Lease, error) {
	now := n.target.now()
	return n.table.acquire(ctx, n.key, target.Lease{Token: n.token, Holder: holder(), ExpiresAt: now.Add(leaseTTL)}, now)
}

// holder names this process to people.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

// next is the meta of an object at old (the zero Meta: not there) after a put. Same says that
// the stored definition is the one put. The generation stands still while an object is
// unfinished: what is resumed with another definition was never anything else.
func next(what string, old target.Meta, same bool, o target.PutOptions, now time.Time) (target.Meta, error) {
	m := old
	same = same && old.Generation > 0 && old.Owner == o.Owner
	switch {
	case same && (old.Generation == o.IfGeneration || old.Generation == o.IfGeneration+1):
		return m, nil
	case old.Generation != o.IfGeneration:
		return m, target.Errorf(target.ErrConflict, "%s is at generation %d, not at %d", what, old.Generation, o.IfGeneration)
	}
	if m.Generation == 0 || m.Ready {
		m.Generation++
	}
	m.Owner, m.ChangedAt = o.Owner, now
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now
	}
	return m, nil
}
