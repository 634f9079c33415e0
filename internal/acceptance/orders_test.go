//go:build linux

package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// accountEntry is an account in the account directory, as the guide for applications has it.
type accountEntry struct {
	Account      string `json:"account"`
	Host         string `json:"host"`
	Port         int    `json:"port"`
	Database     string `json:"database"`
	Role         string `json:"role"`
	SSLMode      string `json:"sslmode"`
	CAFile       string `json:"ca_file"`
	PasswordFile string `json:"password_file"`
}

func readAccount(dir, account string) (accountEntry, error) {
	var e accountEntry
	text, err := os.ReadFile(filepath.Join(dir, account+".json"))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(text, &e)
}

func (e accountEntry) password() (string, error) {
	text, err := os.ReadFile(e.PasswordFile)
	return strings.TrimSpace(string(text)), err
}

// url is where to connect; database and sslmode may be others than the account's.
func (e accountEntry) url(password, database, sslmode string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(e.Role, password),
		Host: net.JoinHostPort(e.Host, strconv.Itoa(e.Port)), Path: "/" + database,
	}
	q := url.Values{"sslmode": {sslmode}}
	if sslmode != "disable" {
		q.Set("sslrootcert", e.CAFile)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// open connects to the account's own database.
func (e accountEntry) open(ctx context.Context, connections int) (*pgxpool.Pool, error) {
	password, err := e.password()
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(e.url(password, e.Database, e.SSLMode))
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxpool.NewWithConfig(ctx, config)
}

// migrate prepares every account's database.
func migrate(ctx context.Context) error {
	dir := os.Getenv("SLIPWAY_ACCOUNTS_DIR")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		e, err := readAccount(dir, strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			return err
		}
		pool, err := e.open(ctx, 1)
		if err != nil {
			return err
		}
		_, err = pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, release text NOT NULL)")
		pool.Close()
		if err != nil {
			return fmt.Errorf("migrate %s: %w", e.Account, err)
		}
		fmt.Println("migrated", e.Account)
	}
	return nil
}

// orders keeps the orders of each account in its own database.
type orders struct {
	mu    sync.Mutex
	pools map[string]*pgxpool.Pool
}

func (o *orders) pool(account string) (*pgxpool.Pool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if p := o.pools[account]; p != nil {
		return p, nil
	}
	e, err := readAccount(os.Getenv("SLIPWAY_ACCOUNTS_DIR"), account)
	if err != nil {
		return nil, err
	}
	p, err := e.open(context.Background(), 4)
	if err != nil {
		return nil, err
	}
	if o.pools == nil {
		o.pools = map[string]*pgxpool.Pool{}
	}
	o.pools[account] = p
	return p, nil
}

// ServeHTTP places an order on POST and counts the orders on GET. The account is the first
// label of the host name.
func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account, _, _ := strings.Cut(r.Host, ".")
	p, err := o.pool(account)
	if errors.Is(err, os.ErrNotExist) {
		http.Error(w, "there is no account "+account, http.StatusNotFound)
		return
	}
	var n int
	switch {
	case err != nil:
	case r.Method == http.MethodPost:
		_, err = p.Exec(r.Context(), "INSERT INTO orders VALUES ($1, $2)", r.FormValue("id"), os.Getenv("SLIPWAY_RELEASE"))
	default:
		err = p.QueryRow(r.Context(), "SELECT count(*) FROM orders").Scan(&n)
	}
	if err != nil {
		fmt.Println("order:", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, n)
}
