package awstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxAnswer is the most that the Data API returns, maxRecord the most of one record.
const maxAnswer, maxRecord = 1 << 20, 64 << 10

// sqlCall is the input of the operations of the Data API.
type sqlCall struct {
	ResourceARN   string      `json:"resourceArn"`
	SecretARN     string      `json:"secretArn"`
	Database      string      `json:"database"`
	SQL           string      `json:"sql"`
	Parameters    []parameter `json:"parameters"`
	TransactionID string      `json:"transactionId"`
}

// refused is an error as the Data API has them.
type refused struct {
	status        int
	code, message string
}

func (r *refused) Error() string { return r.code + ": " + r.message }

func badRequest(format string, args ...any) error {
	return &refused{http.StatusBadRequest, "BadRequestException", fmt.Sprintf(format, args...)}
}

// statements answers the Data API: statements run on a real PostgreSQL server.
func (d *dataAPI) statements(c Call, moto http.Handler) http.Handler {
	if c.Service != "rds-data" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in sqlCall
		err := json.Unmarshal(c.Body, &in)
		var out any
		if err == nil {
			out, err = d.answer(r.Context(), c, in, moto)
		}
		writeAnswer(w, c, out, err)
	})
}

func (d *dataAPI) answer(ctx context.Context, c Call, in sqlCall, moto http.Handler) (any, error) {
	switch c.Operation {
	case "POST /CommitTransaction", "POST /RollbackTransaction":
		return d.end(ctx, in.TransactionID, c.Operation == "POST /CommitTransaction")
	case "POST /BeginTransaction", "POST /Execute":
	default:
		return nil, badRequest("operation %s is not emulated", c.Operation)
	}
	cluster, login, err := d.login(ctx, c, in, moto)
	if err != nil {
		return nil, err
	}
	if c.Operation == "POST /BeginTransaction" {
		return d.begin(ctx, cluster, login)
	}
	var on runner
	if in.TransactionID != "" {
		t, ok := d.transactions.Load(in.TransactionID)
		if !ok || t.(*transaction).login != login {
			return nil, errNoTransaction
		}
		begun := t.(*transaction)
		begun.mu.Lock()
		defer begun.mu.Unlock()
		on = begun.connection
	} else {
		pool, err := cluster.pool(ctx, login)
		if err != nil {
			return nil, err
		}
		connection, err := pool.Acquire(ctx)
		if err != nil {
			return nil, badRequest("log in: %v", err)
		}
		defer connection.Release()
		on = connection
	}
	return execute(ctx, on, cluster, in)
}

// runner is a connection, with a transaction or without.
type runner interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// execute runs one statement with the names that it has on the shared server.
func execute(ctx context.Context, on runner, cluster *emulated, in sqlCall) (any, error) {
	sql, args, err := positional(cluster.outward(in.SQL), in.Parameters)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if name, ok := a.(string); ok {
			args[i] = cluster.name(name)
		}
	}
	// The extended protocol takes one statement at a time, as the Data API does.
	rows, err := on.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return nil, databaseError(cluster, err)
	}
	defer rows.Close()
	records, size := [][]map[string]any{}, 0
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, databaseError(cluster, err)
		}
		record := make([]map[string]any, len(values))
		for i, v := range values {
			if record[i], err = dataField(cluster, v); err != nil {
				return nil, err
			}
		}
		b, err := json.Marshal(record)
		if err != nil {
			return nil, err
		}
		if size += len(b); len(b) > maxRecord || size > maxAnswer {
			return nil, badRequest("Database returned more than the allowed response size limit")
		}
		records = append(records, record)
	}
	if err := rows.Err(); err != nil {
		return nil, databaseError(cluster, err)
	}
	return map[string]any{"records": records, "numberOfRecordsUpdated": 0}, nil
}

// dataField is a value as the Data API returns it.
func dataField(cluster *emulated, v any) (map[string]any, error) {
	switch v := v.(type) {
	case nil:
		return map[string]any{"isNull": true}, nil
	case bool:
		return map[string]any{"booleanValue": v}, nil
	case int16, int32, int64:
		return map[string]any{"longValue": v}, nil
	case float32, float64:
		return map[string]any{"doubleValue": v}, nil
	case string:
		return map[string]any{"stringValue": cluster.inward(v)}, nil
	}
	return nil, &refused{http.StatusBadRequest, "UnsupportedResultException", fmt.Sprintf("values of type %T are not supported", v)}
}

// databaseError is an error of PostgreSQL as the Data API has it.
func databaseError(cluster *emulated, err error) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return err
	}
	return &refused{http.StatusBadRequest, "DatabaseErrorException", cluster.inward(fmt.Sprintf("ERROR: %s; SQLState: %s", said.Message, said.Code))}
}

func writeAnswer(w http.ResponseWriter, c Call, out any, err error) {
	if err != nil {
		var r *refused
		if !errors.As(err, &r) {
			r = &refused{http.StatusInternalServerError, "InternalServerErrorException", err.Error()}
		}
		body, contentType := c.Error(r.code, r.message)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Amzn-Errortype", r.code)
		w.WriteHeader(r.status)
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// secret is what a secret with credentials holds.
type secret struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// readSecret asks moto for a secret of the call's account and region.
func readSecret(ctx context.Context, c Call, moto http.Handler, arn string) (secret, error) {
	body, err := json.Marshal(map[string]string{"SecretId": arn, "VersionStage": "AWSCURRENT"})
	if err != nil {
		return secret{}, err
	}
	answer := ask(ctx, moto, Call{Service: "secretsmanager", Region: c.Region}, "application/x-amz-json-1.1", "secretsmanager.GetSecretValue", string(body))
	var out struct{ SecretString string }
	var s secret
	if err := json.Unmarshal(answer.Body.Bytes(), &out); err != nil || answer.Code != http.StatusOK {
		return s, badRequest("the secret %s can't be read", arn)
	}
	if err := json.Unmarshal([]byte(out.SecretString), &s); err != nil || s.Username == "" {
		return s, &refused{http.StatusBadRequest, "InvalidSecretException", "the secret is not of the kind that holds a username and a password"}
	}
	return s, nil
}

// ask sends moto a request of our own.
func ask(ctx context.Context, moto http.Handler, c Call, contentType, operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=test/20260101/%s/%s/aws4_request, SignedHeaders=host, Signature=none", c.Region, c.Service))
	r.Header.Set("Content-Type", contentType)
	if operation != "" {
		r.Header.Set("X-Amz-Target", operation)
	}
	answer := httptest.NewRecorder()
	moto.ServeHTTP(answer, r)
	return answer
}
