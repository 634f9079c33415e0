package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// platform is what was applied, as its outputs describe it.
type platform struct {
	addresses   map[string]map[string]string // by environment and account
	authorities map[string]string            // by environment
}

func readPlatform(ctx context.Context, w workspace) (platform, error) {
	outputs, err := w.outputs(ctx)
	if err != nil {
		return platform{}, err
	}
	var p platform
	if err := json.Unmarshal(outputs["addresses"], &p.addresses); err != nil {
		return platform{}, fmt.Errorf("read output addresses: %w", err)
	}
	if err := json.Unmarshal(outputs["certificate_authorities"], &p.authorities); err != nil {
		return platform{}, fmt.Errorf("read output certificate_authorities: %w", err)
	}
	// For curl.
	if err := os.WriteFile(w.ca(), []byte(p.authorities["production"]), 0o644); err != nil {
		return platform{}, fmt.Errorf("keep the certificate authority: %w", err)
	}
	return p, nil
}

// shop opens the shop of an account in production.
func (p platform) shop(account string) (*shop, error) {
	return newShop(account, p.addresses["production"][account], p.authorities["production"])
}

// accounts of production.
func (p platform) accounts() []string {
	return slices.Sorted(maps.Keys(p.addresses["production"]))
}

// counts says how many orders each account has in its database.
func (p platform) counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for _, account := range p.accounts() {
		s, err := p.shop(account)
		if err != nil {
			return nil, err
		}
		counts[account], err = s.count(ctx)
		s.close()
		if err != nil {
			return nil, fmt.Errorf("count the orders of %s: %w", account, err)
		}
	}
	return counts, nil
}
