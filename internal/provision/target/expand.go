package target

import "strings"

// ReleasePlaceholder in an image, a command or the value of an environment variable stands
// for the release.
const ReleasePlaceholder = "{release}"

// Expand returns the definition with every placeholder replaced and routes normalised. The
// original is not changed.
func (d Definition) Expand() Definition {
	r := strings.NewReplacer(ReleasePlaceholder, d.Release)
	components := make(map[string]Component, len(d.Components))
	for name, c := range d.Components {
		c.Image, c.Command, c.Environment = r.Replace(c.Image), replaceAll(r, c.Command), replaceValues(r, c.Environment)
		routes := make([]Route, len(c.Routes))
		for i, route := range c.Routes {
			routes[i] = route.Normal()
		}
		c.Routes = routes
		components[name] = c
	}
	d.Components = components
	d.Migrate, d.TestSuite = d.Migrate.expand(r), d.TestSuite.expand(r)
	return d
}

func (t *Task) expand(r *strings.Replacer) *Task {
	if t == nil {
		return nil
	}
	out := *t
	out.Image, out.Command, out.Environment = r.Replace(t.Image), replaceAll(r, t.Command), replaceValues(r, t.Environment)
	return &out
}

func replaceAll(r *strings.Replacer, in []string) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = r.Replace(v)
	}
	return out
}

func replaceValues(r *strings.Replacer, in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = r.Replace(v)
	}
	return out
}
