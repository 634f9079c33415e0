package awstest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// process is a container that runs. Its lines go where the awslogs driver sends them ("Send
// Amazon ECS logs to CloudWatch"): to the stream PREFIX/CONTAINER/TASK.
type process struct {
	terminate context.CancelFunc
	// begun is closed when the program runs, ended when it does not any more; code and problem
	// are there then.
	begun, ended chan struct{}
	code         int
	problem      error
	// sick says that the check of the container's definition fails.
	sick atomic.Bool

	logs          *cloudwatchlogs.Client
	group, stream string

	mu        sync.Mutex
	lines     []logstypes.InputLogEvent
	addresses map[int32]string
}

// startProcess begins to run a program when all is ready for it.
func (c *cloud) startProcess(container *Container, run Program, ready func(context.Context, *process) error) *process {
	ctx, cancel := context.WithCancel(c.running)
	p := &process{terminate: cancel, begun: make(chan struct{}), ended: make(chan struct{}), addresses: map[int32]string{}}
	container.process = p
	c.goroutines.Go(func() {
		defer close(p.ended)
		defer cancel()
		if p.problem = ready(context.WithoutCancel(ctx), p); p.problem == nil {
			close(p.begun)
			p.code = p.run(ctx, run, container)
		}
	})
	return p
}

// run runs the program to its end and sends its lines.
func (p *process) run(ctx context.Context, run Program, container *Container) int {
	done := make(chan int, 1)
	go func() { done <- run(ctx, container) }()
	ticker := time.NewTicker(5 * tick)
	defer ticker.Stop()
	for {
		select {
		case code := <-done:
			p.flush(context.WithoutCancel(ctx))
			return code
		case <-ticker.C:
			p.flush(context.WithoutCancel(ctx))
		}
	}
}

func (p *process) log(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(text) {
		p.lines = append(p.lines, logstypes.InputLogEvent{Message: aws.String(strings.TrimRight(line, "\n")), Timestamp: aws.Int64(time.Now().UnixMilli())})
	}
}

// flush sends the lines that were written. What can't be sent is lost, as on AWS.
func (p *process) flush(ctx context.Context) {
	p.mu.Lock()
	lines := p.lines
	p.lines = nil
	p.mu.Unlock()
	if p.logs == nil || len(lines) == 0 {
		return
	}
	_, _ = p.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &p.group, LogStreamName: &p.stream, LogEvents: lines})
}

func (p *process) listens(port int32, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addresses[port] = address
}

// address is where a port can be reached, "" while nothing listens there.
func (p *process) address(port int32) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addresses[port]
}

// closed says whether a channel is.
func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
