package awstest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// alive says whether a service, "service/CLUSTER/NAME", can be scaled.
func (f *fleet) alive(region, resource string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.scaled(region, resource) != nil
}

// scale changes the desired count of a service, and says what it was.
func (f *fleet) scale(region, resource string, to func(now int32) int32) (desired, was int32, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.scaled(region, resource)
	if s == nil {
		return to(0), 0, false
	}
	was = s.DesiredCount
	s.DesiredCount = to(was)
	return s.DesiredCount, was, true
}

func (f *fleet) scaled(region, resource string) *ecsService {
	parts := strings.Split(resource, "/")
	if len(parts) != 3 {
		return nil
	}
	if s := f.service(place{region, parts[1]}, &parts[2]); s != nil && aws.ToString(s.Status) == active {
		return s
	}
	return nil
}
