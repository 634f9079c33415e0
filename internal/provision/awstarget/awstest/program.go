package awstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Program is what an image runs. It ends with an exit code, or when ctx does: that is SIGTERM.
type Program func(ctx context.Context, c *Container) int

// Container is the one container of a task as its program sees it.
type Container struct {
	Image       string
	Command     []string
	Environment map[string]string
	// Ports are those of its definition.
	Ports []int32

	process *process
}

// Log writes a line to the container's log.
func (c *Container) Log(format string, args ...any) {
	c.process.log(fmt.Sprintf(format, args...))
}

// Check says what the health check of the container's definition finds; at first it passes.
func (c *Container) Check(passes bool) { c.process.sick.Store(!passes) }

// Serve answers requests on all ports until ctx ends, and finishes those under way.
func (c *Container) Serve(ctx context.Context, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	errs := make(chan error, len(c.Ports))
	for _, port := range c.Ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c.process.listens(port, l.Addr().String())
		go func() { errs <- s.Serve(l) }()
	}
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.Shutdown(ending)
	for range c.Ports {
		if e := <-errs; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// Application answers with the release that it belongs to, and checks at /healthz with a status.
func Application(health int) Program {
	return func(ctx context.Context, c *Container) int {
		release := c.Environment["SLIPWAY_RELEASE"]
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(health) })
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Slipway-Release", release)
			fmt.Fprintln(w, release)
		})
		c.Log("release %s begins", release)
		c.Check(health == http.StatusOK)
		if err := c.Serve(ctx, mux); err != nil {
			c.Log("%v", err)
			return 1
		}
		return 0
	}
}

func waits(ctx context.Context, c *Container) int {
	c.Log("begins, and waits to be stopped")
	<-ctx.Done()
	return 0
}

// exits ends with the code that is its first word.
func exits(_ context.Context, c *Container) int {
	code := 0
	if len(c.Command) > 0 {
		var err error
		if code, err = strconv.Atoi(c.Command[0]); err != nil {
			code = 2
		}
	}
	c.Log("ends with code %d", code)
	return code
}

// programs are those that every account has, by the name of their image.
func programs() map[string]Program {
	return map[string]Program{
		"well": Application(http.StatusOK),
		"sick": Application(http.StatusServiceUnavailable),
		"crash": func(_ context.Context, c *Container) int {
			c.Log("this application can't start")
			return 1
		},
		"worker": waits,
		"hang":   waits,
		"exit":   exits,
	}
}

// imageName is "well" for "registry.example.com/apps/well:1@sha256:…".
func imageName(image string) string {
	image = image[strings.LastIndex(image, "/")+1:]
	image, _, _ = strings.Cut(image, "@")
	image, _, _ = strings.Cut(image, ":")
	return image
}
