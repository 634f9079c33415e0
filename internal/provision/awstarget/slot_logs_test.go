package awstarget

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func TestALogIsReadBackUntilThereAreEnoughLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		pages [][]string // the last page first, as it is read
		lines int
		want  string
		calls int
	}{
		{"one page with all that is wanted", [][]string{{"b\n", "c\n"}, {"a"}}, 2, "[b c]", 1},
		{"pages that are only partly full", [][]string{{"d"}, {}, {"b", "c"}, {"a"}}, 3, "[b c d]", 3},
		{"fewer lines than are wanted", [][]string{{"b"}, {"a"}}, 9, "[a b]", 3},
		{"none", nil, 9, "[]", 2},
		{"a log that goes on for ever", make([][]string, 99), 9, "[]", maxReadPages},
	} {
		calls := 0
		w := &slotWork{noun: scripted(t, func(in any) (any, error) {
			calls++
			n := 0
			if token := in.(*cloudwatchlogs.GetLogEventsInput).NextToken; token != nil {
				if _, err := fmt.Sscan(*token, &n); err != nil {
					return nil, err
				}
			}
			out := &cloudwatchlogs.GetLogEventsOutput{NextBackwardToken: aws.String(fmt.Sprint(min(n+1, len(c.pages)+1)))}
			if n < len(c.pages) {
				for _, line := range c.pages[n] {
					out.Events = append(out.Events, types.OutputLogEvent{Message: &line})
				}
			}
			if n >= len(c.pages) && n > 0 {
				out.NextBackwardToken = aws.String(fmt.Sprint(n))
			}
			return out, nil
		})}
		got, err := w.readStream(t.Context(), "stream", c.lines)
		if err != nil || fmt.Sprint(got) != c.want || calls != c.calls {
			t.Errorf("%s: %v (%v) in %d calls, want %s in %d", c.name, got, err, calls, c.want, c.calls)
		}
	}
}
