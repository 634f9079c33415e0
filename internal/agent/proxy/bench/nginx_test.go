package bench

import (
	"fmt"
	"path/filepath"
	"syscall"
)

var nginx = peer{
	name: "nginx", file: "nginx.conf", version: []string{"-v"},
	args: func(file string) []string { return []string{"-e", "stderr", "-p", filepath.Dir(file), "-c", file} },
	configure: func(s scene, p places) string {
		return nginxConfiguration(s, p, "blue")
	},
	swap: func(s scene, p places, release string) error { // what nginx -s reload does
		if err := p.write(nginxConfiguration(s, p, release)); err != nil {
			return err
		}
		return p.process.Signal(syscall.SIGHUP)
	},
}

func nginxConfiguration(s scene, p places, release string) string {
	return fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log stderr;
events {
  worker_connections 1024;
}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
  }
  upstream app {
    server %[2]s;
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen %[3]s ssl http2;
    ssl_certificate %[4]s;
    ssl_certificate_key %[4]s;
    keepalive_requests 1000000000;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
}
`, p.dir, s.instances[release], p.address, s.certificate)
}
