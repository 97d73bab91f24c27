# https://github.com/hashicorp/consul-template/blob/main/docs/configuration.md
consul {
  address = "consul:8500"
}

log_level = "info"

template {
  source      = "/etc/consul-template/nginx.conf.ctmpl"
  destination = "/etc/nginx/nginx.conf"
  # How long to wait for things to become quiet, and at most. One second is the shortest that is usual, and so the
  # one that favours it most; its documentation's example is 2s:6s.
  wait {
    min = "1s"
    max = "2s"
  }
}

# nginx is the child: it gets the reload signal itself, no shell between.
exec {
  command       = ["nginx", "-g", "daemon off;"]
  reload_signal = "SIGHUP"
  kill_signal   = "SIGQUIT"
}
