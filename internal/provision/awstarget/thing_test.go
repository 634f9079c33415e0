package awstarget

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// shy are things that EC2 shows some time after it made them.
type shy struct {
	n     *noun
	lag   time.Duration
	made  []string
	there map[string]time.Time
	// interrupt ends a run after a create or a delete; nil: nothing does.
	interrupt context.CancelFunc
}

func (s *shy) thing() thing {
	did := func() {
		if s.interrupt != nil {
			s.interrupt()
		}
	}
	return thing{
		mark: markVPC, what: "VPC", idFilter: "vpc-id",
		find: func(_ context.Context, _ *clients, filters []types.Filter) (all []found, err error) {
			for id, at := range s.there {
				if byID := len(filters) == 1; (!byID || filters[0].Values[0] == id) && !s.n.target.now().Before(at) {
					all = append(all, found{id: id, state: available, tags: s.n.marks(markVPC)})
				}
			}
			return all, nil
		},
		create: func(context.Context, []types.TagSpecification, string) (string, error) {
			id := fmt.Sprint("vpc-", len(s.made)+1)
			s.made, s.there[id] = append(s.made, id), s.n.target.now().Add(s.lag)
			did()
			return id, nil
		},
		delete: func(_ context.Context, id string) error {
			delete(s.there, id)
			did()
			return nil
		},
	}
}

// A run is interrupted when it has made something, and another one follows soon: EC2 may not show it yet.
func TestWhatIsNewIsNotTakenForGone(t *testing.T) {
	t.Parallel()
	const soon = 5 * time.Second
	for _, c := range []struct {
		name        string
		lag, after  time.Duration
		least, most time.Duration // that the run waits
		made        int           // by a put
	}{
		{"seen after a while", 40 * time.Second, soon, 30 * time.Second, 50 * time.Second, 1},
		{"seen at once", 0, soon, 0, 0, 1},
		{"removed by somebody", time.Hour, soon, appearLag - soon - time.Second, appearLag + soon, 2},
		{"removed by somebody long ago", time.Hour, 10 * time.Minute, 0, 0, 2},
	} {
		begin := func(t *testing.T) *shy {
			s := &shy{n: scripted(t, nil), lag: c.lag, there: map[string]time.Time{}}
			ctx, cancel := context.WithCancel(t.Context())
			s.interrupt = cancel
			if err := s.n.putThing(ctx, s.thing()); c.lag > 0 && !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v", err)
			}
			s.interrupt = nil
			if err := s.n.target.clock.Sleep(t.Context(), c.after); err != nil {
				t.Fatal(err)
			}
			if c.lag == time.Hour {
				s.there, s.lag = map[string]time.Time{}, 0
			}
			return s
		}
		waits := func(t *testing.T, s *shy, do func(context.Context, thing) error) {
			t.Helper()
			began := s.n.target.now()
			if err := do(t.Context(), s.thing()); err != nil {
				t.Error(err)
			}
			if waited := s.n.target.now().Sub(began); waited < c.least || waited > c.most {
				t.Errorf("waited for %s, want %s to %s", waited, c.least, c.most)
			}
		}
		t.Run(c.name+", put", func(t *testing.T) {
			t.Parallel()
			s := begin(t)
			waits(t, s, s.n.putThing)
			if id := s.made[len(s.made)-1]; len(s.made) != c.made || s.n.fact(markVPC) != id {
				t.Errorf("made %v, saved %v, want %d", s.made, s.n.facts, c.made)
			}
			if ids := s.n.beside(markVPC, s.n.fact(markVPC)); len(ids) != 1 {
				t.Errorf("the ids are %q", ids)
			}
		})
		t.Run(c.name+", removed", func(t *testing.T) {
			t.Parallel()
			s := begin(t)
			if c.lag == 0 { // by a run that is interrupted when it has deleted it
				ctx, cancel := context.WithCancel(t.Context())
				s.interrupt = cancel
				if err := s.n.removeThing(ctx, s.thing()); !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v", err)
				}
			}
			c.most = min(c.most*2, c.most+15*time.Second) // it is looked for again when it has been deleted
			waits(t, s, s.n.removeThing)
			if len(s.there) > 0 || len(s.n.facts) > 0 {
				t.Errorf("left are %v, saved %v", s.there, s.n.facts)
			}
		})
	}
}
