package awstest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
)

// shape is a type of AWS's service model, as botocore's service-2.json has it.
type shape struct {
	Type     string            `json:"type"`
	Members  map[string]member `json:"members"`
	Required []string          `json:"required"`
	Enum     []string          `json:"enum"`
	Min      *float64          `json:"min"`
	Max      *float64          `json:"max"`
	Pattern  string            `json:"pattern"`
	// Member is the type of a list's elements; Key and Value are those of a map.
	Member member `json:"member"`
	Key    member `json:"key"`
	Value  member `json:"value"`
	Union  bool   `json:"union"`
}

type member struct {
	Shape string `json:"shape"`
}

// service is AWS's model of one service.
type service struct {
	Operations map[string]struct {
		Input *member `json:"input"`
	} `json:"operations"`
	Shapes map[string]shape `json:"shapes"`

	patterns sync.Map // *regexp.Regexp by text, nil where Go can't read it
}

// folders are the names that botocore has for services, by the SDK's.
var folders = map[string]string{
	"ACM":                         "acm",
	"Application Auto Scaling":    "application-autoscaling",
	"CloudWatch":                  "cloudwatch",
	"CloudWatch Logs":             "logs",
	"DynamoDB":                    "dynamodb",
	"EC2":                         "ec2",
	"ECS":                         "ecs",
	"Elastic Load Balancing v2":   "elbv2",
	"IAM":                         "iam",
	"KMS":                         "kms",
	"RDS":                         "rds",
	"RDS Data":                    "rds-data",
	"Resource Groups Tagging API": "resourcegroupstaggingapi",
	"Route 53":                    "route53",
	"S3":                          "s3",
	"Secrets Manager":             "secretsmanager",
	"STS":                         "sts",
}

// models reads the models, each once.
type models struct {
	dir    string
	mu     sync.Mutex
	loaded map[string]*service
}

func (m *models) of(serviceID string) (*service, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.loaded[serviceID]; ok {
		return s, nil
	}
	folder, ok := folders[serviceID]
	if !ok {
		return nil, fmt.Errorf("service %q is not in the table of models", serviceID)
	}
	s, err := readModel(filepath.Join(m.dir, folder))
	if err != nil {
		return nil, fmt.Errorf("read the model of %q: %w", serviceID, err)
	}
	m.loaded[serviceID] = s
	return s, nil
}

// readModel reads the newest version in a folder; their names are dates.
func readModel(dir string) (*service, error) {
	versions, err := filepath.Glob(filepath.Join(dir, "*", "service-2.json.gz"))
	if err != nil || len(versions) == 0 {
		return nil, fmt.Errorf("there is none in %q", dir)
	}
	f, err := os.Open(slices.Max(versions))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	s := new(service)
	return s, json.NewDecoder(z).Decode(s)
}

// pattern compiles a pattern of the model; nil where it is not of Go's kind.
func (s *service) pattern(text string) *regexp.Regexp {
	if p, ok := s.patterns.Load(text); ok {
		return p.(*regexp.Regexp)
	}
	p, err := regexp.Compile(text)
	if err != nil {
		p = nil
	}
	s.patterns.Store(text, p)
	return p
}
