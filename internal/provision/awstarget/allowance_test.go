package awstarget

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// bucket answers describe calls as AWS does: forty at once and ten more each second, and refuses
// what is more.
type bucket struct {
	mu            sync.Mutex
	left          float64
	at            time.Time
	made, refused int
}

func (b *bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	operation, status := r.PostForm.Get("Action"), http.StatusOK
	body := fmt.Sprintf("<%[1]sResponse><%[1]sResult/></%[1]sResponse>", operation)
	if strings.HasPrefix(operation, "Describe") {
		now := time.Now()
		b.left, b.at = min(40, b.left+10*now.Sub(b.at).Seconds()), now
		b.made++
		if b.left--; b.left < 0 {
			b.left++
			b.refused++
			status, body = http.StatusBadRequest, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func TestAHundredSlotsAskWithinWhatLoadBalancersAllow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const slots, groups = 100, 2
		balancers := &bucket{left: 40, at: time.Now()}
		c := newClients(signedIn{config: aws.Config{
			Region: "eu-central-1", HTTPClient: &http.Client{Transport: balancers}, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}}, "eu-central-1", Settings{}, wait.Options{First: time.Second, Clock: wait.Real{}})
		began := time.Now()
		var all sync.WaitGroup
		for range slots {
			all.Go(func() {
				for range groups {
					if _, err := findHealth(t.Context(), c, "group"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if balancers.refused > 0 || balancers.made != slots*groups {
			t.Errorf("%d calls were made and %d refused, want %d and none", balancers.made, balancers.refused, slots*groups)
		}
		if took, most := time.Since(began), 25*time.Second; took > most {
			t.Errorf("it took %s, want %s at most", took, most)
		}
		// What changes something has an allowance of its own.
		began = time.Now()
		if _, err := c.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: aws.String("rule")}); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("a change waited for %s", took)
		}
	})
}
