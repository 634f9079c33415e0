package awstarget

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// maxReads is how many rows one call reads.
const maxReads = 100

// reader reads rows of one table for everybody who asks at the same time: what is asked while a
// call is under way goes into the next one. Nobody is answered by a call that began before.
type reader struct {
	client *dynamodb.Client
	table  string
	pace   wait.Options

	mu      sync.Mutex
	waiting map[key][]chan answer
	working bool
}

type answer struct {
	row row
	err error
}

// get reads a row as soon as the call that is under way has ended.
func (r *reader) get(ctx context.Context, k key) (row, error) {
	if ctx.Err() != nil {
		return row{key: k}, context.Cause(ctx)
	}
	to := make(chan answer, 1)
	r.mu.Lock()
	if r.waiting == nil {
		r.waiting = map[key][]chan answer{}
	}
	r.waiting[k] = append(r.waiting[k], to)
	start := !r.working
	r.working = true
	r.mu.Unlock()
	if start {
		go r.work(context.WithoutCancel(ctx))
	}
	select {
	case <-ctx.Done():
		return row{key: k}, context.Cause(ctx)
	case a := <-to:
		return a.row, a.err
	}
}

// work reads until nobody waits any more.
func (r *reader) work(ctx context.Context) {
	for {
		asked := r.next()
		if len(asked) == 0 {
			return
		}
		rows, err := r.read(ctx, asked)
		for k, waiting := range asked {
			a := answer{row{key: k}, err}
			if found, ok := rows[k]; ok {
				a.row = found
			}
			for _, to := range waiting {
				to <- a
			}
		}
	}
}

// next takes what is asked, as far as one call reads it.
func (r *reader) next() map[key][]chan answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := map[key][]chan answer{}
	for k, waiting := range r.waiting {
		if len(asked) == maxReads {
			break
		}
		asked[k] = waiting
		delete(r.waiting, k)
	}
	r.working = len(asked) > 0
	return asked
}

// read reads rows; those that are not there are left out.
func (r *reader) read(ctx context.Context, asked map[key][]chan answer) (map[key]row, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	left := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for k := range asked {
		left.Keys = append(left.Keys, k.attributes())
	}
	rows := map[key]row{}
	_, err := wait.Until(ctx, r.pace, func(ctx context.Context) (status, bool, error) {
		out, err := r.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{r.table: left}})
		if err != nil {
			return "", false, err
		}
		for _, item := range out.Responses[r.table] {
			found, err := rowOf(item)
			if err != nil {
				return "", false, err
			}
			rows[found.key] = found
		}
		left.Keys = out.UnprocessedKeys[r.table].Keys // what was too much at once
		return status(fmt.Sprintf("%d rows are left", len(left.Keys))), len(left.Keys) == 0, nil
	})
	return rows, failed(absent(err, errNoTable), "read rows of table %q", r.table)
}
