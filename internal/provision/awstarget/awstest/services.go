package awstest

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// services are the ECS services that are scaled, each by its resource, "service/CLUSTER/NAME".
type services interface {
	// alive says whether a service can be scaled.
	alive(region, resource string) bool
	// scale changes the desired count of a service, and says what it was.
	scale(region, resource string, to func(now int32) int32) (desired, was int32, ok bool)
}

// remote are the services of an emulator that has ECS of its own.
type remote struct{ *cloud }

func (s remote) count(region, resource string) (now int32, ok bool) {
	parts := strings.Split(resource, "/")
	if len(parts) != 3 {
		return 0, false
	}
	out, err := ecs.NewFromConfig(s.config(region)).DescribeServices(s.running, &ecs.DescribeServicesInput{Cluster: &parts[1], Services: parts[2:]})
	if err != nil || len(out.Services) != 1 || aws.ToString(out.Services[0].Status) != active {
		return 0, false
	}
	return out.Services[0].DesiredCount, true
}

func (s remote) alive(region, resource string) bool {
	_, ok := s.count(region, resource)
	return ok
}

func (s remote) scale(region, resource string, to func(now int32) int32) (desired, was int32, ok bool) {
	was, ok = s.count(region, resource)
	desired = to(was)
	if !ok || desired == was {
		return desired, was, ok
	}
	parts := strings.Split(resource, "/")
	_, err := ecs.NewFromConfig(s.config(region)).UpdateService(context.WithoutCancel(s.running), &ecs.UpdateServiceInput{Cluster: &parts[1], Service: &parts[2], DesiredCount: &desired})
	return desired, was, err == nil
}
