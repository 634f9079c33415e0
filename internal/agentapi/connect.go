//go:build !windows

package agentapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-version"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/hold"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// spawnLimit bounds the start of an agent.
const spawnLimit = 30 * time.Second

// ErrNoAgent says that no agent runs in a data directory, and none was to be started.
var ErrNoAgent = errors.New("no agent runs")

// Dialer reaches the agent that runs in a data directory.
func Dialer(dataDir string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return hold.DialUnix(ctx, hold.SocketPath(dataDir)) }
}

// Connect returns a client of the agent, started if need be. With create unset a data
// directory without an installation is target.ErrNoInstallation and is left alone. An agent
// of an older version is replaced by ours without stopping what it runs.
func (p Place) Connect(ctx context.Context, create bool) (*Client, error) {
	if !create && !installed(p.DataDir) {
		return nil, target.Errorf(target.ErrNoInstallation, "there is no installation of the local target in %s", p.DataDir)
	}
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	c := NewClient(p.dial, p.Software)
	if err := p.agree(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// AwaitEnd returns when the agent has ended, as it does by itself after the last region was
// removed. While there is an installation it returns at once.
func (p Place) AwaitEnd(ctx context.Context) error {
	if installed(p.DataDir) {
		return nil
	}
	return AwaitStop(ctx, p.DataDir)
}

// AwaitStop returns when no agent runs in a data directory any more.
func AwaitStop(ctx context.Context, dataDir string) error {
	ctx, cancel := context.WithTimeout(ctx, spawnLimit)
	defer cancel()
	_, err := wait.Until(ctx, wait.Options{Max: 100 * time.Millisecond}, func(context.Context) (agentSeen, bool, error) {
		return "the agent still runs", !hold.Present(dataDir), nil
	})
	return err
}

type agentSeen string

func (s agentSeen) String() string { return string(s) }

// start makes sure that an agent runs.
func (p Place) start(ctx context.Context) error {
	if p.Attach {
		if conn, err := hold.DialUnix(ctx, hold.SocketPath(p.DataDir)); err == nil {
			return conn.Close()
		}
		return &target.Error{Kind: ErrNoAgent, Message: fmt.Sprintf("no agent runs in %s, so that nobody can say what is there. Nothing was started. A plan or an apply starts the agent with everything that it holds, and so does \"terraform-provider-slipway agent --data-dir %s\"", p.DataDir, p.DataDir)}
	}
	if err := MakeDataDir(p.DataDir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, spawnLimit)
	defer cancel()
	if err := hold.Spawn(ctx, p.Executable, p.DataDir, []string{"agent", "--data-dir", p.DataDir}, LogFile(p.DataDir)); err != nil {
		return fmt.Errorf("start the agent of %s: %w", p.DataDir, err)
	}
	return nil
}

// dial reaches the agent and starts it again where it has gone in the meantime. A data
// directory that has gone meanwhile is not made again.
func (p Place) dial(ctx context.Context) (net.Conn, error) {
	conn, err := hold.DialUnix(ctx, hold.SocketPath(p.DataDir))
	if err == nil {
		return conn, nil
	}
	if _, err := os.Stat(p.DataDir); errors.Is(err, os.ErrNotExist) {
		return nil, target.Errorf(target.ErrNoInstallation, "the data directory %s is gone", p.DataDir)
	}
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	return hold.DialUnix(ctx, hold.SocketPath(p.DataDir))
}

// agree replaces an older agent by ours and refuses one that we do not understand.
func (p Place) agree(ctx context.Context, c *Client) error {
	hello, err := Call[Hello](ctx, c, "Hello", None{})
	if err != nil {
		return fmt.Errorf("ask the agent of %s who it is: %w", p.DataDir, err)
	}
	replace, err := p.newer(hello)
	if err != nil {
		return err
	}
	if replace {
		if _, err := Call[None](ctx, c, "Upgrade", Upgrade{Executable: p.Executable}); err != nil {
			return fmt.Errorf("replace agent %s of %s by %s: %w", hello.Software, p.DataDir, p.Software, err)
		}
		c.Close()
		return nil
	}
	if hello.API != Version {
		return &target.Error{Kind: ErrVersion, Message: fmt.Sprintf("the agent of %s is version %s and this provider is %s, which it does not understand: use provider %s or newer, or stop the agent with \"terraform-provider-slipway agent stop\"", p.DataDir, hello.Software, p.Software, hello.Software)}
	}
	return nil
}

// newer says whether we are newer than the agent. Builds without a version are newer than
// any other build: whoever makes one wants to see it run.
func (p Place) newer(hello Hello) (bool, error) {
	ours, err := version.NewVersion(p.Software)
	if err != nil {
		mine, err := buildOf(p.Executable)
		return mine != hello.Build, err
	}
	theirs, err := version.NewVersion(hello.Software)
	if err != nil {
		return true, nil // theirs is a build without a version
	}
	return ours.GreaterThan(theirs), nil
}

// Build is a digest of the running executable.
func Build() (string, error) { return ownBuild() }

var ownBuild = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own executable: %w", err)
	}
	return buildOf(path)
})

func buildOf(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.Open("/proc/self/exe")
	}
	if err != nil {
		return "", fmt.Errorf("read executable: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read executable: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}
