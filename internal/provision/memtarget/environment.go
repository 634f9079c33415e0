package memtarget

import (
	"context"
	"encoding/pem"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// environment is an environment as it is stored. Unfinished counts the GetEnvironment calls
// that will still find it being made or changed.
type environment struct {
	record     target.EnvironmentRecord
	unfinished int
}

// PutEnvironment stores an environment, which is ready at once unless the options of the
// target or HinderEnvironment say otherwise.
func (t *Target) PutEnvironment(ctx context.Context, e target.Environment, o target.PutOptions) (target.EnvironmentRecord, error) {
	return call(ctx, t, changes, "PutEnvironment", func(s *store) (target.EnvironmentRecord, error) {
		e, err := clone(e)
		if err != nil {
			return target.EnvironmentRecord{}, err
		}
		if _, err := s.region(e.Region); err != nil {
			return target.EnvironmentRecord{}, err
		}
		env, ok := s.environments[e.ID()]
		if !ok {
			env = &environment{}
		}
		if env.record.Meta.Ending {
			return target.EnvironmentRecord{}, ending("environment", e.ID())
		}
		m, err := s.next(fmt.Sprintf("environment %q", e.ID()), env.record.Meta, target.Same(env.record.Spec, e), o)
		if err != nil {
			return target.EnvironmentRecord{}, err
		}
		if m != env.record.Meta {
			env.unfinished = s.options.EnvironmentReadyAfter
		}
		env.record = target.EnvironmentRecord{Meta: m, Spec: e, Status: environmentStatus(e)}
		s.environments[e.ID()] = env
		s.settleEnvironment(env)
		return env.record, nil
	})
}

// GetEnvironment returns an environment and brings one that is being made on by a step.
func (t *Target) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	return call(ctx, t, reads, "GetEnvironment", func(s *store) (target.EnvironmentRecord, error) {
		env, err := s.environment(id)
		if err != nil {
			return target.EnvironmentRecord{}, err
		}
		s.settleEnvironment(env)
		env.unfinished = max(0, env.unfinished-1)
		return env.record, nil
	})
}

// settleEnvironment says what keeps an environment from being finished. One that was ready
// stays ready while it is changed, so that its protection stays armed.
func (s *store) settleEnvironment(e *environment) {
	h := s.hindered[e.record.Spec.ID().String()]
	e.record.Meta.Problem, e.record.Meta.Stuck = h.problem, h.stuck
	if e.record.Meta.Problem == "" && e.unfinished > 0 {
		e.record.Meta.Problem = "the database server is starting"
	}
	if e.record.Meta.Ending {
		e.record.Meta.Problem = unfinishedRemoval
	}
	e.record.Meta.Ready = e.record.Meta.Ready || e.record.Meta.Problem == ""
}

func (s *store) environment(id target.EnvironmentID) (*environment, error) {
	if err := s.known(); err != nil {
		return nil, err
	}
	e, ok := s.environments[id]
	if !ok {
		return nil, missing("environment", id)
	}
	return e, nil
}

// openEnvironment refuses an environment that nothing new may come into.
func (s *store) openEnvironment(id target.EnvironmentID) error {
	e, err := s.environment(id)
	if err == nil && e.record.Meta.Ending {
		err = ending("environment", id)
	}
	return err
}

// DeleteEnvironment removes an environment with the leases in it. A refusal takes back that it is
// being removed.
func (t *Target) DeleteEnvironment(ctx context.Context, id target.EnvironmentID) error {
	return do(ctx, t, "DeleteEnvironment", func(s *store) error {
		if err := s.known(); err != nil {
			return err
		}
		e, ok := s.environments[id]
		if !ok {
			return nil
		}
		for d, db := range s.databases {
			if d.Environment == id && !db.record.Vanished {
				e.record.Meta.Ending = false
				return target.Errorf(target.ErrNotEmpty, "environment %q holds account database %q", id, d)
			}
		}
		for slotID, l := range s.slots {
			if slotID.Environment == id && !l.empty() {
				e.record.Meta.Ending = false
				return target.Errorf(target.ErrNotEmpty, "environment %q holds deployment slot %q", id, slotID)
			}
		}
		if e.record.Spec.DeletionProtection && e.record.Meta.Ready {
			return target.Errorf(target.ErrProtected, "environment %q is protected from deletion", id)
		}
		s.dropEnvironment(id)
		return nil
	})
}

// dropEnvironment removes an environment and everything in it.
func (s *store) dropEnvironment(id target.EnvironmentID) {
	for d := range s.databases {
		if d.Environment == id {
			delete(s.databases, d)
		}
	}
	for l := range s.slots {
		if l.Environment == id {
			delete(s.slots, l)
		}
	}
	delete(s.environments, id)
}

// ListEnvironments returns the environments by id.
func (t *Target) ListEnvironments(ctx context.Context) ([]target.EnvironmentRecord, error) {
	return call(ctx, t, reads, "ListEnvironments", func(s *store) ([]target.EnvironmentRecord, error) {
		var out []target.EnvironmentRecord
		for _, id := range sortedIDs(s.environments) {
			out = append(out, s.environments[id].record)
		}
		return out, s.known()
	})
}

func environmentStatus(e target.Environment) target.EnvironmentStatus {
	return target.EnvironmentStatus{
		URL:                  e.URL(),
		PreviewURL:           e.PreviewURL(),
		CertificateAuthority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("authority of " + e.ID().String())})),
		DatabaseHost:         "127.0.0.1",
		DatabasePort:         5432,
		AccountsDirectory:    "memory:/" + e.ID().String() + "/accounts",
	}
}
