package provider

import (
	"fmt"
	"path"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// localFaults refuses what the local target can't run. Whether programs and files are there is
// for warnings only, see local_missing.go.
func localFaults(d target.Definition) target.Faults {
	var f target.Faults
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		f = append(f, localProgram("components."+name, c.Image, c.Command, c.Secrets)...)
	}
	if t := d.Migrate; t != nil {
		f = append(f, localProgram("migrate", t.Image, t.Command, t.Secrets)...)
	}
	if t := d.TestSuite; t != nil {
		f = append(f, localProgram("test_suite", t.Image, t.Command, t.Secrets)...)
	}
	return f
}

func localProgram(at, image string, command []string, secrets map[string]string) target.Faults {
	var f target.Faults
	refuse := func(at, format string, args ...any) {
		f = append(f, target.Fault{Path: at, Message: fmt.Sprintf(format, args...)})
	}
	switch {
	case image != "":
		refuse(at+".image", "the local target runs programs, not container images: remove image and set command")
	case len(command) == 0:
		refuse(at+".command", "the local target needs the program to run: set command")
	case strings.Contains(command[0], "/") && !path.IsAbs(command[0]):
		refuse(at+".command.0", "%q is a relative path, and programs do not run where Terraform does: write an absolute one, such as by abspath()", command[0])
	}
	for _, name := range target.SortedKeys(secrets) {
		if !path.IsAbs(secrets[name]) {
			refuse(at+".secrets."+name, "this is no absolute path, only a relative path or a value: name a file of mode 0600 that holds the value")
		}
	}
	return f
}
