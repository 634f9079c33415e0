package bench

import (
	"fmt"
	"io"
	"net"
	"strings"
)

var haproxy = peer{
	name: "haproxy", file: "haproxy.cfg", version: []string{"-v"},
	args: func(file string) []string { return []string{"-db", "-f", file} },
	configure: func(s scene, p places) string {
		return fmt.Sprintf(`global
  stats socket %s mode 600 level admin
defaults
  mode http
  http-reuse always
  option forwardfor
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h
frontend front
  bind %s ssl crt %s alpn h2,http/1.1
  default_backend app
backend app
  server blue %s
  server green %s disabled
`, p.socket(), p.address, s.certificate, s.instances["blue"], s.instances["green"])
	},
	swap: func(_ scene, p places, release string) error {
		c, err := net.Dial("unix", p.socket())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "enable server app/%s; disable server app/%s\n", release, other(release)); err != nil {
			return err
		}
		said, err := io.ReadAll(c)
		if complaint := strings.TrimSpace(string(said)); err == nil && complaint != "" {
			return fmt.Errorf("swap to %s: %s", release, complaint)
		}
		return err
	},
}
