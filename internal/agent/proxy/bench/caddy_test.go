package bench

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

var caddy = peer{
	name: "caddy", file: "Caddyfile", version: []string{"version"},
	args: func(file string) []string { return []string{"run", "--adapter", "caddyfile", "--config", file} },
	configure: func(s scene, p places) string {
		return caddyConfiguration(s, p, "blue")
	},
	swap: func(s scene, p places, release string) error { // what caddy reload does
		answer, err := http.Post("http://"+p.admin+"/load", "text/caddyfile", strings.NewReader(caddyConfiguration(s, p, release)))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("load configuration: %s", answer.Status)
		}
		return nil
	},
}

func caddyConfiguration(s scene, p places, release string) string {
	_, port, _ := net.SplitHostPort(p.address)
	return fmt.Sprintf(`{
  admin %[1]s
  auto_https off
  log {
    level ERROR
  }
}
https://%[2]s:%[3]s {
  bind 127.0.0.1
  tls %[4]s %[4]s
  reverse_proxy %[5]s {
    transport http {
      keepalive_idle_conns_per_host 1000
      compression off
    }
  }
}
`, p.admin, domain, port, s.certificate, s.instances[release])
}
