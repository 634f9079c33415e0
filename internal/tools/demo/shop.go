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
	a, err := s.send(ctx, http.MethodPost, "/api/orders", body)
	if err != nil {
		return "", err
	}
	var placed struct {
		ID int64 `json:"id"`
	}
	if a.code != http.StatusCreated || json.Unmarshal(a.body, &placed) != nil || placed.ID == 0 {
		return "", fmt.Errorf("order answered with %s: %.200q", a.status, a.body)
	}
	return a.release, nil
}

// orders lists the account's newest orders.
func (s *shop) orders(ctx context.Context) (orders []order, err error) {
	err = s.get(ctx, "/api/orders", &orders)
	return orders, err
}

// count says how many orders are in the account's database.
func (s *shop) count(ctx context.Context) (int, error) {
	var counted struct {
		Count int `json:"count"`
	}
	err := s.get(ctx, "/api/orders?count", &counted)
	return counted.Count, err
}

func (s *shop) get(ctx context.Context, path string, into any) error {
	a, err := s.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if a.code != http.StatusOK {
		return fmt.Errorf("GET %s answered with %s: %.200q", path, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("read answer of GET %s: %w", path, err)
	}
	return nil
}

// answer is an answer of the order service.
type answer struct {
	code    int
	status  string
	release string // which served
	body    []byte
}

// send sends one request, once: Go's client repeats it only where nothing of it was sent.
func (s *shop) send(ctx context.Context, method, path string, body []byte) (answer, error) {
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
	return answer{response.StatusCode, response.Status, response.Header.Get("Slipway-Release"), content}, nil
}

func (s *shop) close() { s.client.CloseIdleConnections() }
