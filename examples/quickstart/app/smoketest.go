package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// run tries what customers do. It works in the account's real database, so it removes what
// it placed.
func (s *suite) run(ctx context.Context) {
	wanted := order{Key: "smoke-test-" + rand.Text(), Item: "smoke test", Quantity: 3}
	var id int64

	s.check("the preview entrance leads to the candidate", func() error {
		a, err := s.call(ctx, http.MethodGet, "/api/orders", nil, nil)
		if err != nil {
			return err
		}
		return same("header Slipway-Release", a.header.Get("Slipway-Release"), s.release)
	})
	s.check("the host name decides the account", func() error {
		a, err := s.call(ctx, http.MethodGet, "/api/orders", nil, nil)
		if err != nil {
			return err
		}
		return same("header "+accountHeader, a.header.Get(accountHeader), s.account)
	})
	s.check("an account that is not here gets nothing", func() error {
		other := *s
		other.base.Host = "nobody-" + s.base.Host
		a, err := other.call(ctx, http.MethodGet, "/api/orders", nil, nil)
		if err != nil {
			return err
		}
		return same("status", a.code, http.StatusNotFound)
	})
	s.check("an order can be placed", func() (err error) {
		id, err = s.place(ctx, wanted, http.StatusCreated)
		return err
	})
	if id == 0 {
		return
	}
	s.check("placing it again places no second one", func() error {
		again, err := s.place(ctx, wanted, http.StatusOK)
		if err != nil {
			return err
		}
		return same("id", again, id)
	})
	s.check("it reads back as it was placed", func() error {
		var orders []order
		if _, err := s.call(ctx, http.MethodGet, "/api/orders?key="+wanted.Key, nil, &orders); err != nil {
			return err
		}
		if len(orders) != 1 {
			return fmt.Errorf("%d orders have the key %s, expected 1", len(orders), wanted.Key)
		}
		got := orders[0]
		return same("order", fmt.Sprintf("%d × %s", got.Quantity, got.Item), fmt.Sprintf("%d × %s", wanted.Quantity, wanted.Item))
	})
	s.check("the console shows the account's page", func() error {
		var page string
		if _, err := s.call(ctx, http.MethodGet, "/", nil, &page); err != nil {
			return err
		}
		return same("title on the page", strings.Contains(page, "Orders of "+s.account), true)
	})
	s.check("it can be removed", func() error {
		a, err := s.call(ctx, http.MethodDelete, fmt.Sprintf("/api/orders/%d", id), nil, nil)
		if err != nil {
			return err
		}
		return same("status", a.code, http.StatusNoContent)
	})
}

func (s *suite) place(ctx context.Context, o order, status int) (int64, error) {
	var placed struct {
		ID int64 `json:"id"`
	}
	a, err := s.call(ctx, http.MethodPost, "/api/orders", o, &placed)
	if err != nil {
		return 0, err
	}
	return placed.ID, same("status", a.code, status)
}

// answer is what a call was answered with, beside its body.
type answer struct {
	code   int
	header http.Header
}

// call sends one request and reads the answer: as text into a *string, else as JSON.
func (s *suite) call(ctx context.Context, method, path string, in, out any) (answer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return answer{}, fmt.Errorf("write request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	switch out := out.(type) {
	case nil:
	case *string:
		*out = string(content)
	default:
		if err := json.Unmarshal(content, out); err != nil {
			return answer{}, fmt.Errorf("%s %s answered %s: %.200q", method, path, response.Status, content)
		}
	}
	return answer{response.StatusCode, response.Header}, nil
}

func same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, expected %v", what, got, want)
	}
	return nil
}
