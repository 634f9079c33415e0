package awstest

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// fargateMemory are the MiB that go with CPU units: least, most and step, but for the smallest
// (RegisterTaskDefinition).
var fargateMemory = map[string][3]int{
	"256": {512, 2048, 512}, "512": {1024, 4096, 1024}, "1024": {2048, 8192, 1024}, "2048": {4096, 16384, 1024},
	"4096": {8192, 30720, 1024}, "8192": {16384, 61440, 4096}, "16384": {32768, 122880, 8192},
}

// refuseDefinition refuses a task definition that Fargate can't run; nil passes it on.
func (f *fleet) refuseDefinition(c Call) http.Handler {
	var in ecs.RegisterTaskDefinitionInput
	err := c.read(&in)
	if err == nil && slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		err = fargateRefuses(in)
	}
	if err == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w, nil, err) })
}

func fargateRefuses(in ecs.RegisterTaskDefinitionInput) error {
	cpu, memory := aws.ToString(in.Cpu), aws.ToString(in.Memory)
	limits, known := fargateMemory[cpu]
	n, err := strconv.Atoi(memory)
	if !known || err != nil || n < limits[0] || n > limits[1] || n%limits[2] != 0 || cpu == "256" && n == 1536 {
		return refuse("ClientException", "No Fargate configuration exists for given values: %s CPU, %s memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
	}
	if in.NetworkMode != types.NetworkModeAwsvpc {
		return refuse("ClientException", "Fargate only supports network mode 'awsvpc'.")
	}
	if in.ExecutionRoleArn != nil {
		return nil
	}
	for _, d := range in.ContainerDefinitions {
		if d.LogConfiguration != nil && d.LogConfiguration.LogDriver == types.LogDriverAwslogs {
			return refuse("ClientException", "Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
		if len(d.Secrets) > 0 {
			return refuse("ClientException", "Fargate requires task definition to have execution role ARN to support secrets.")
		}
	}
	return nil
}
