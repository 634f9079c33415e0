//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// environment is one environment with all that runs in it.
type environment struct {
	p     *Platform
	id    target.EnvironmentID
	files environmentLayout

	// mu guards what follows. It is taken after Platform.mu and before slot.mu.
	mu        sync.Mutex
	file      environmentFile
	removing  bool
	sockets   []string // still to be closed by a removal
	door      *door
	proxy     *proxy.Proxy
	servers   map[string]*server          // by account; "" is the environment's own
	halfway   map[string]*postgres.Server // those that did not come up, likewise
	databases map[string]*databaseFile
	slots     map[string]*slot
	changing  map[string]chan struct{} // held by who changes an account's database
	bad       badRecords

	opening sync.Mutex // held while a server is opened
	copying sync.Mutex // held while an account is copied for a test suite

	kick  chan struct{}
	life  context.Context
	end   context.CancelFunc
	begun sync.WaitGroup
}

// environmentFile is an environment's record.
type environmentFile struct {
	Meta     target.Meta        `json:"meta"`
	Spec     target.Environment `json:"spec"`
	Settings settings           `json:"settings"`
	Users    *usersFile         `json:"users,omitempty"`
	// Walled is the URL of the user's server on which a probe found that accounts are kept apart.
	Walled string `json:"walled,omitempty"`
}

func (p *Platform) newEnvironment(id target.EnvironmentID) *environment {
	life, end := context.WithCancel(p.life)
	return &environment{
		p: p, id: id, files: p.dir.environment(id),
		servers: map[string]*server{}, halfway: map[string]*postgres.Server{}, databases: map[string]*databaseFile{}, slots: map[string]*slot{},
		bad: badRecords{map[string]error{}, map[string]error{}}, changing: map[string]chan struct{}{}, kick: make(chan struct{}, 1), life: life, end: end,
	}
}

// loadEnvironment reads an environment and brings back what runs in it. A folder without a
// record is what a crash left of a removal, or of a create that never began: nil.
func (p *Platform) loadEnvironment(ctx context.Context, id target.EnvironmentID) (found *environment, err error) {
	e := p.newEnvironment(id)
	defer func() {
		if found == nil {
			e.end()
		}
	}()
	switch err := store.Load(e.files.record(), &e.file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, removeLeftover(e.files.record(), "postgres/data", "clusters/*", "databases/*", "slots/*/slot.json")
	case err != nil:
		return nil, err
	}
	if e.file.Meta.Ready {
		// What was wrong then may be right now: the first attempt tells.
		e.file.Meta.Problem, e.file.Meta.Stuck = "", false
	}
	if err := e.loadDatabases(); err != nil {
		return nil, err
	}
	if err := e.loadSlots(ctx); err != nil {
		return nil, err
	}
	if err := e.openDoor(ctx); err != nil {
		e.trouble(err, false)
	}
	e.begun.Go(e.converge)
	e.poke()
	return e, nil
}

// PutEnvironment implements target.Environments.
func (p *Platform) PutEnvironment(ctx context.Context, spec target.Environment, o target.PutOptions, from *settings) (target.EnvironmentRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := spec.ID()
	if err := p.bad[id.String()]; err != nil {
		return target.EnvironmentRecord{}, err
	}
	if p.regions[spec.Region] == nil {
		return target.EnvironmentRecord{}, p.notFound("region", spec.Region)
	}
	e := p.environments[id]
	if e == nil {
		e = p.newEnvironment(id)
	}
	if err := e.put(spec, o, from); err != nil {
		return target.EnvironmentRecord{}, err
	}
	if p.environments[id] == nil {
		p.environments[id] = e
		e.begun.Go(e.converge)
	}
	e.poke()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.record(), nil
}

// put records a definition. The caller holds p.mu.
func (e *environment) put(spec target.Environment, o target.PutOptions, from *settings) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.removing {
		return target.Errorf(target.ErrUnavailable, "environment %q is being removed", e.id)
	}
	file := e.file
	if repeated(file.Meta, o, target.Same(file.Spec, spec)) {
		if file.Meta.Ready && file.Meta.Problem == "" && (from == nil || target.Same(file.Settings, *from)) {
			return nil
		}
	} else {
		meta, err := next(file.Meta, o, e.p.clock.Now(), "environment", e.id.String())
		if err != nil {
			return err
		}
		file.Meta, file.Spec = meta, spec
	}
	if from != nil {
		file.Settings = *from
	}
	file.Meta.Problem, file.Meta.Stuck = "what was asked is being made", false
	if ids := e.p.users.ids; ids != nil && e.file.Meta.Generation == 0 {
		id, err := ids.give(e.p.dir.in(e.id.String()))
		if err != nil {
			return err
		}
		file.Users = &usersFile{Application: id}
	}
	if err := e.write(file); err != nil {
		if e.file.Users == nil && file.Users != nil {
			e.p.users.ids.free(file.Users.all()...)
		}
		return err
	}
	e.file = file
	return nil
}

// write makes an environment's folders and record.
func (e *environment) write(file environmentFile) error {
	if err := e.p.passage(e.files.dir, e.files.databases(), e.files.slots(), e.files.logs); err != nil {
		return err
	}
	return e.p.save(e.files.record(), file)
}

// GetEnvironment implements target.Environments. After a start of the agent it waits for
// the database server, which may have changed its place.
func (p *Platform) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	e, err := p.environment(id)
	if err != nil {
		return target.EnvironmentRecord{}, err
	}
	e.mu.Lock()
	coming := e.file.Meta.Ready && e.servers[""] == nil
	e.mu.Unlock()
	if coming {
		// What keeps it from coming up is in the record.
		if _, err := e.awaitServer(ctx, ""); err != nil && ctx.Err() != nil {
			return target.EnvironmentRecord{}, context.Cause(ctx)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.record(), nil
}

// ListEnvironments implements target.Environments.
func (p *Platform) ListEnvironments(context.Context) ([]target.EnvironmentRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.installation == nil {
		return nil, p.noInstallation()
	}
	var out []target.EnvironmentRecord
	for _, e := range p.environments {
		e.mu.Lock()
		out = append(out, e.record())
		e.mu.Unlock()
	}
	return out, nil
}

// DeleteEnvironment implements target.Environments.
func (p *Platform) DeleteEnvironment(ctx context.Context, id target.EnvironmentID) error {
	e, err := p.environment(id)
	if err != nil {
		return err
	}
	if err := e.refuseRemoval(ctx); err != nil {
		return err
	}
	// Once begun it is finished, whatever becomes of who asked: half an environment is of no use.
	removal, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalLimit)
	defer cancel()
	if err := e.remove(removal); err != nil {
		return fmt.Errorf("remove environment %q: %w", id, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.environments, id)
	return p.uninstall()
}

// removalLimit bounds the removal of an environment.
const removalLimit = 2 * time.Minute

// refuseRemoval says why an environment can't be removed, and stops changes if it can.
func (e *environment) refuseRemoval(ctx context.Context) error {
	// Servers are asked while others work on; who comes after that is seen below.
	gone := map[string]bool{}
	for _, d := range e.allDatabases() {
		gone[d.Spec.Account] = e.gone(ctx, d)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.removing:
		return nil
	case e.file.Meta.Ready && e.file.Spec.DeletionProtection:
		return target.Errorf(target.ErrProtected, "deletion protection of environment %q is on: set deletion_protection = false and apply that first", e.id)
	case e.holdsSlots():
		return target.Errorf(target.ErrNotEmpty, "environment %q still has deployment slots", e.id)
	case e.bad.any() != nil:
		return target.Errorf(target.ErrNotEmpty, "environment %q has records that can't be read: %v", e.id, e.bad.any())
	}
	for account := range e.databases {
		if !gone[account] {
			return target.Errorf(target.ErrNotEmpty, "environment %q still has account databases", e.id)
		}
	}
	e.removing = true
	return nil
}

// gone says whether a database's record describes nothing any more. Of one whose server is not
// up nobody can tell.
func (e *environment) gone(ctx context.Context, d databaseFile) bool {
	e.mu.Lock()
	s := e.servers[d.serverKey()]
	e.mu.Unlock()
	return s != nil && d.Meta.Ready && errors.Is(e.present(ctx, s, d), target.ErrVanished)
}

func (e *environment) allDatabases() []databaseFile {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []databaseFile
	for _, account := range target.SortedKeys(e.databases) {
		out = append(out, *e.databases[account])
	}
	return out
}

// holdsSlots says whether there is a slot that is more than a lease. The caller holds e.mu.
func (e *environment) holdsSlots() bool {
	for _, s := range e.slots {
		s.mu.Lock()
		holds := s.file.Record != nil || len(s.file.Seats) > 0
		s.mu.Unlock()
		if holds {
			return true
		}
	}
	return false
}

// remove takes down everything of the environment. It can be repeated.
func (e *environment) remove(ctx context.Context) error {
	e.end()
	e.begun.Wait()
	e.mu.Lock()
	if e.door != nil {
		e.sockets = e.door.keys
	}
	e.mu.Unlock()
	e.closeDoor()
	var errs []error
	for _, key := range e.sockets {
		errs = append(errs, e.p.listeners.Unlisten(ctx, key))
	}
	for _, s := range e.allServers() {
		errs = append(errs, s.remove(ctx))
	}
	for _, s := range e.allHalfway() {
		errs = append(errs, s.Remove(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if e.p.users.ids != nil {
		// The logs stay, and the ids may be another environment's next.
		if err := giveTree(e.files.logs, root); err != nil {
			return fmt.Errorf("take over its logs: %w", err)
		}
	}
	// What is of no use any more goes before the record, so that a record that is missing is
	// never one of those.
	for _, dir := range []string{e.files.databases(), e.files.slots()} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.Remove(e.files.record()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.RemoveAll(e.files.dir); err != nil {
		return err
	}
	if e.p.users.ids != nil {
		e.p.users.ids.free(e.file.Users.all()...)
	}
	return nil
}

// stop ends what runs in the environment and keeps its data.
func (e *environment) stop(ctx context.Context) error {
	var errs []error
	for _, s := range e.allSlots() {
		errs = append(errs, s.stop(ctx))
	}
	e.end()
	e.begun.Wait()
	for _, s := range e.allServers() {
		if s.own != nil {
			errs = append(errs, s.own.Stop(ctx))
		}
	}
	for _, s := range e.allHalfway() {
		errs = append(errs, s.Stop(ctx))
	}
	return errors.Join(errs...)
}

// release stops looking after the environment and leaves it running.
func (e *environment) release() {
	e.end()
	e.begun.Wait()
	for _, s := range e.allSlots() {
		s.release()
	}
	for _, s := range e.allServers() {
		s.release()
	}
}

// record is the environment as others see it. The caller holds e.mu.
func (e *environment) record() target.EnvironmentRecord {
	rec := target.EnvironmentRecord{Meta: e.file.Meta, Spec: e.file.Spec, Status: target.EnvironmentStatus{
		URL:                  e.file.Spec.URL(),
		PreviewURL:           e.file.Spec.PreviewURL(),
		CertificateAuthority: string(e.p.authority.PEM()),
		AccountsDirectory:    e.files.accounts(),
	}}
	if s := e.servers[""]; s != nil {
		rec.Status.DatabaseHost, rec.Status.DatabasePort = s.host, s.port
	}
	return rec
}

// environment finds an environment that can be worked with.
func (p *Platform) environment(id target.EnvironmentID) (*environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.bad[id.String()]; err != nil {
		return nil, err
	}
	e := p.environments[id]
	if e == nil {
		return nil, p.notFound("environment", id.String())
	}
	return e, nil
}

func (e *environment) allServers() []*server {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*server
	for _, key := range target.SortedKeys(e.servers) {
		out = append(out, e.servers[key])
	}
	return out
}

func (e *environment) allHalfway() []*postgres.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.halfway))
}

func (e *environment) allSlots() []*slot {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*slot
	for _, key := range target.SortedKeys(e.slots) {
		out = append(out, e.slots[key])
	}
	return out
}

func (e *environment) spec() target.Environment {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.file.Spec
}
