package awstest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// allModels are those of this test binary.
var allModels = sync.OnceValues(func() (*models, error) {
	m, err := moto()
	return &models{dir: m.models, loaded: map[string]*service{}}, err
})

// Check reports what is wrong with each request by AWS's own model of its service: missing
// members, values that are not in an enumeration, out of range, too long, or of another form.
// It is for aws.Config.APIOptions.
func Check(report func(fault string)) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("CheckRequest", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			for _, fault := range faultsOf(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), in.Parameters) {
				report(fault)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	}
}

// faultsOf checks the input of an operation.
func faultsOf(serviceID, operation string, input any) []string {
	all, err := allModels()
	if err != nil {
		return []string{err.Error()}
	}
	s, err := all.of(serviceID)
	if err != nil {
		return []string{err.Error()}
	}
	op, ok := s.Operations[operation]
	if !ok {
		return []string{fmt.Sprintf("%s has no operation %s", serviceID, operation)}
	}
	if op.Input == nil {
		return nil
	}
	c := checker{service: s}
	c.check(serviceID+"."+operation, op.Input.Shape, reflect.ValueOf(input))
	return c.faults
}

type checker struct {
	service *service
	faults  []string
}

func (c *checker) addf(path, format string, args ...any) {
	c.faults = append(c.faults, path+": "+fmt.Sprintf(format, args...))
}

// check compares a value that was given with its shape.
func (c *checker) check(path, name string, v reflect.Value) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	s := c.service.Shapes[name]
	switch {
	case !v.IsValid() || v.Kind() == reflect.Interface:
		return // unions and streams have types of their own in Go
	case s.Type == "structure" && v.Kind() == reflect.Struct:
		c.structure(path, s, v)
	case s.Type == "list" && v.Kind() == reflect.Slice:
		c.size(path, s, v.Len(), "elements")
		for i := range v.Len() {
			c.check(fmt.Sprintf("%s[%d]", path, i), s.Member.Shape, v.Index(i))
		}
	case s.Type == "map" && v.Kind() == reflect.Map:
		c.size(path, s, v.Len(), "entries")
		for _, k := range v.MapKeys() {
			c.check(fmt.Sprintf("%s[key %s]", path, k), s.Key.Shape, k)
			c.check(fmt.Sprintf("%s[%s]", path, k), s.Value.Shape, v.MapIndex(k))
		}
	case s.Type == "string" && v.Kind() == reflect.String:
		c.text(path, s, v.String())
	case v.CanInt():
		c.size(path, s, int(v.Int()), "as a number")
	}
}

func (c *checker) structure(path string, s shape, v reflect.Value) {
	for _, name := range s.Required {
		if f := field(v, name); !f.IsValid() || f.IsZero() && f.Kind() != reflect.Bool && !f.CanInt() {
			c.addf(path, "%s is required", name)
		}
	}
	for name, m := range s.Members {
		if f := field(v, name); f.IsValid() && !f.IsZero() {
			c.check(path+"."+name, m.Shape, f)
		}
	}
}

// field is the field of a Go structure for a member of the model.
func field(v reflect.Value, name string) reflect.Value {
	return v.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, name) })
}

func (c *checker) text(path string, s shape, text string) {
	c.size(path, s, utf8.RuneCountInString(text), "characters")
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.addf(path, "%q is none of %q", text, s.Enum)
	}
	if p := c.service.pattern(s.Pattern); s.Pattern != "" && p != nil && !p.MatchString(text) {
		c.addf(path, "%q does not match %s", text, s.Pattern)
	}
}

func (c *checker) size(path string, s shape, n int, what string) {
	if s.Min != nil && float64(n) < *s.Min || s.Max != nil && float64(n) > *s.Max {
		c.addf(path, "%d %s is not within the model's limits", n, what)
	}
}
