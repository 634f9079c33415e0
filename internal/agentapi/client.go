package agentapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Client calls one agent. It is safe for concurrent use.
type Client struct {
	http     *retryablehttp.Client
	software string
}

// NewClient makes a client that reaches its agent through dial. Software is the caller's
// version, for the agent's log.
func NewClient(dial func(context.Context) (net.Conn, error), software string) *Client {
	transport := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
	}
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: transport}
	c.Logger = nil
	c.RetryMax = 5
	c.RetryWaitMin, c.RetryWaitMax = 50*time.Millisecond, time.Second
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	// Every call of the agent is safe to repeat, so a lost answer is asked for again; an
	// answer, also one that is an error, is final.
	c.CheckRetry = func(ctx context.Context, _ *http.Response, err error) (bool, error) {
		return err != nil && ctx.Err() == nil, ctx.Err()
	}
	return &Client{http: c, software: software}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.HTTPClient.CloseIdleConnections() }

// Call calls a method. Errors of the target come back as the sentinels of package target; an
// agent that can't be reached is target.ErrUnavailable.
func Call[A any](ctx context.Context, c *Client, method string, request any) (A, error) {
	var answer A
	body, err := json.Marshal(request)
	if err != nil {
		return answer, fmt.Errorf("encode request %s: %w", method, err)
	}
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, "http://agent"+Path(method), body)
	if err != nil {
		return answer, fmt.Errorf("make request %s: %w", method, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(HeaderVersion, strconv.Itoa(Version))
	r.Header.Set(HeaderSoftware, c.software)
	response, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return answer, fmt.Errorf("wait for the agent's answer to %s: %w", method, context.Cause(ctx))
		}
		return answer, target.Errorf(target.ErrUnavailable, "the agent did not answer %s: %v", method, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil && ctx.Err() != nil:
		return answer, fmt.Errorf("wait for the agent's answer to %s: %w", method, context.Cause(ctx))
	case err != nil:
		return answer, target.Errorf(target.ErrUnavailable, "the agent broke off its answer to %s: %v", method, err)
	case response.StatusCode != http.StatusOK:
		var f Failure
		if err := json.Unmarshal(text, &f); err != nil || f.Message == "" {
			return answer, fmt.Errorf("the agent answered %s with status %d", method, response.StatusCode)
		}
		return answer, f.err()
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&answer); err != nil && !errors.Is(err, io.EOF) {
		return answer, fmt.Errorf("read the agent's answer to %s: %w", method, err)
	}
	return answer, nil
}
