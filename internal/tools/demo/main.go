// Command demo is "make demo": it builds the provider and the quickstart's application,
// applies examples/quickstart and rolls releases over it under load. With -clean it is
// "make demo-clean" and removes everything again. Its only argument is the repository.
//
// Everything that it makes is in one folder outside the repository, see [place].
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	clean := flag.Bool("clean", false, "remove what the demo made")
	flag.Parse()
	// Whoever the provider runs the application as must be able to reach it.
	syscall.Umask(0o022)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	n := newNarrator(os.Stdout)
	err := run(ctx, n, flag.Arg(0), *clean)
	stop()
	if err != nil {
		n.failure(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n *narrator, repository string, clean bool) error {
	repository, err := filepath.Abs(repository)
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	p, err := choosePlace()
	if err != nil {
		return err
	}
	if clean {
		return cleanUp(ctx, n, p)
	}
	if p.used() {
		n.title("A platform of an earlier demo is here: removing it first")
		if err := cleanUp(ctx, n, p); err != nil {
			return err
		}
	}
	unlock, err := p.take()
	if err != nil {
		return err
	}
	defer unlock()
	err = tell(ctx, n, p, repository)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return fmt.Errorf("%w\n\nEverything is left as it is, in %s.\nTerraform's own output is in %s.\n\"make demo-clean\" removes it all", err, p.dir, p.log())
	}
	return nil
}
