package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// errUnknownAccount says that this environment has no such account.
var errUnknownAccount = errors.New("unknown account")

// directory is the account directory that Slipway keeps: one file for each account.
// Accounts come and go while the program runs, so it is read whenever it is needed.
type directory string

// account says where the database of one account is.
type account struct {
	Name         string `json:"account"`
	Host         string `json:"host"`
	Port         int    `json:"port"`
	Database     string `json:"database"`
	Role         string `json:"role"`
	SSLMode      string `json:"sslmode"`
	CAFile       string `json:"ca_file"`
	PasswordFile string `json:"password_file"`
}

// accountName keeps host names that are no account names away from the file system.
var accountName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// account reads one account, or says errUnknownAccount.
func (d directory) account(name string) (account, error) {
	if !accountName.MatchString(name) {
		return account{}, fmt.Errorf("%w %q", errUnknownAccount, name)
	}
	raw, err := os.ReadFile(filepath.Join(string(d), name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, fmt.Errorf("%w %q", errUnknownAccount, name)
	}
	if err != nil {
		return account{}, fmt.Errorf("read account: %w", err)
	}
	var a account
	if err := json.Unmarshal(raw, &a); err != nil {
		return account{}, fmt.Errorf("read account %q: %w", name, err)
	}
	return a, nil
}

// names lists the accounts, in alphabetical order.
func (d directory) names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, isAccount := strings.CutSuffix(e.Name(), ".json")
		if isAccount && accountName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// url is the connection string of the account's database, without the password.
func (a account) url() string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(a.Role),
		Host:   net.JoinHostPort(a.Host, strconv.Itoa(a.Port)),
		Path:   "/" + a.Database,
		RawQuery: url.Values{
			"sslmode":     {a.SSLMode},
			"sslrootcert": {a.CAFile},
		}.Encode(),
	}
	return u.String()
}

// password reads the password, which changes when the account's credentials are rotated.
func (a account) password() (string, error) {
	raw, err := os.ReadFile(a.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read password of account %q: %w", a.Name, err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// accountOf takes the account from the host name of a request: acme.production.eu.localhost.
func accountOf(host string) string {
	first, _, _ := strings.Cut(host, ".")
	return strings.ToLower(first)
}
