package awstest

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// shell is an image that has a shell and curl: this machine's, which reach the network of the
// account as from a subnet of it.
func (f *fleet) shell(ctx context.Context, c *Container) int {
	if len(c.Command) == 0 {
		return 0
	}
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connect(w, r, f.balancing.dialInside)
	}))
	defer way.Close()
	p := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	p.Env = []string{"PATH=" + os.Getenv("PATH"), "https_proxy=" + way.URL}
	for k, v := range c.Environment {
		p.Env = append(p.Env, k+"="+v)
	}
	p.Cancel = func() error { return p.Process.Signal(syscall.SIGTERM) }
	p.WaitDelay = 10 * time.Second
	out, err := p.StdoutPipe()
	if err == nil {
		p.Stderr = p.Stdout
		err = p.Start()
	}
	if err != nil {
		c.Log("%v", err)
		return 127
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		c.Log("%s", lines.Text())
	}
	var exit *exec.ExitError
	switch err := p.Wait(); {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		c.Log("%v", err)
		return 126
	}
	return 0
}
