package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// fakeBook keeps orders in memory.
type fakeBook struct {
	mu     sync.Mutex
	orders []order
	lastID int64
}

func (b *fakeBook) place(_ context.Context, o order) (int64, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, old := range b.orders {
		if old.Key == o.Key {
			return old.ID, false, nil
		}
	}
	b.lastID++
	o.ID = b.lastID
	b.orders = append(b.orders, o)
	return o.ID, true, nil
}

func (b *fakeBook) list(_ context.Context, key string, limit int) ([]order, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []order{}
	for i := len(b.orders) - 1; i >= 0 && len(found) < limit; i-- {
		if key == "" || b.orders[i].Key == key {
			found = append(found, b.orders[i])
		}
	}
	return found, nil
}

func (b *fakeBook) count(context.Context) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int64(len(b.orders)), nil
}

func (b *fakeBook) remove(_ context.Context, id int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.orders {
		if o.ID == id {
			b.orders = append(b.orders[:i], b.orders[i+1:]...)
			break
		}
	}
	return nil
}

// fakeBooks opens the books of the accounts it was made of.
func fakeBooks(accounts ...string) openBook {
	books := map[string]*fakeBook{}
	for _, a := range accounts {
		books[a] = &fakeBook{}
	}
	return func(_ context.Context, account string) (orderBook, error) {
		b, ok := books[account]
		if !ok {
			return nil, fmt.Errorf("%w %q", errUnknownAccount, account)
		}
		return b, nil
	}
}

// writeAccount puts an account into a directory, as Slipway does.
func writeAccount(t *testing.T, dir directory, a account, password string) {
	t.Helper()
	a.PasswordFile = filepath.Join(string(dir), a.Name+".password")
	if err := os.WriteFile(a.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(string(dir), a.Name+".json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
