package accounts

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Traffic counts what went to a server.
type Traffic struct {
	// Connections counts those that were opened, Statements the messages sent
	// on them. One message may carry the few statements of one transaction.
	Connections, Statements int64
}

// Traffic returns what went to the server since [Open].
func (c *Cluster) Traffic() Traffic {
	return Traffic{Connections: c.traffic.connections.Load(), Statements: c.traffic.statements.Load()}
}

// traffic is told by pgx of every connection, query and preparation.
type traffic struct {
	connections, statements atomic.Int64
}

func (t *traffic) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

func (t *traffic) TraceConnectEnd(_ context.Context, data pgx.TraceConnectEndData) {
	if data.Err == nil {
		t.connections.Add(1)
	}
}

func (t *traffic) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.statements.Add(1)
	return ctx
}

func (t *traffic) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (t *traffic) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	t.statements.Add(1)
	return ctx
}

func (t *traffic) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}
