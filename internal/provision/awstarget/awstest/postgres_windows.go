package awstest

import (
	"context"
	"errors"
	"net"
)

// sharedServer is the PostgreSQL server of this test binary. There is none on Windows.
type sharedServer struct{}

func sharedPostgres() (*sharedServer, error) {
	return nil, errors.New("the tests of account databases need PostgreSQL, which they start on Linux and macOS only")
}

func (*sharedServer) execute(context.Context, ...string) error                { return nil }
func (*sharedServer) query(context.Context, string, ...any) ([]string, error) { return nil, nil }
func (*sharedServer) dial(context.Context) (net.Conn, error)                  { return nil, nil }
func (*sharedServer) address(_, _, _ string) string                           { return "" }
func (*sharedServer) wipe(context.Context, string) error                      { return nil }
