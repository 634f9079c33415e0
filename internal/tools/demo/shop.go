package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// shop is the order service as one account sees it, over one connection.
type shop struct {
	account string
	base    url.URL
	client  *http.Client
}

// order is what a customer orders.
type order struct {
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	Key      string `json:"key"`
}

// newShop connects to this machine, whatever the name of the address resolves to: not every
// resolver knows the names under .localhost.
func newShop(account, address, authority string) (*shop, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the address of %s: %w", account, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(authority)) {
		return nil, errors.New("read the certificate authority: no certificate in it")
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", base.Port()))
		},
	}
	return &shop{account: account, base: *base, client: &http.Client{Transport: transport, Timeout: 20 * time.Second}}, nil
}

// place orders, and returns which release took the order. The key must be new: an answer
// that says it was seen before means that somebody sent the request twice.
func (s *shop) place(ctx context.Context, o order) (release string, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("write order: %w", err)
	}
	answer, content, err := s.send(ctx, http.MethodPost, "/api/orders", body)
	if err != nil {
		return "", err
	}
	var placed struct {
		ID int64 `json:"id"`
	}
	if answer.StatusCode != http.StatusCreated || json.Unmarshal(content, &placed) != nil || placed.ID == 0 {
		return "", fmt.Errorf("order answered with %s: %.200q", answer.Status, content)
	}
	return answer.Header.Get("Slipway-Release"), nil
}

// orders lists the account's newest orders.
func (s *shop) orders(ctx context.Context) (orders []order, err error) {
	return orders, s.get(ctx, "/api/orders", &orders)
}

// count says how many orders are in the account's database.
func (s *shop) count(ctx context.Context) (int, error) {
	var answer struct {
		Count int `json:"count"`
	}
	return answer.Count, s.get(ctx, "/api/orders?count", &answer)
}

func (s *shop) get(ctx context.Context, path string, into any) error {
	answer, content, err := s.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered with %s: %.200q", path, answer.Status, content)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("read answer of GET %s: %w", path, err)
	}
	return nil
}

// send sends one request, once: Go's client repeats it only where nothing of it was sent.
func (s *shop) send(ctx context.Context, method, path string, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("read answer: %w", err)
	}
	return answer, content, nil
}

func (s *shop) close() { s.client.CloseIdleConnections() }
