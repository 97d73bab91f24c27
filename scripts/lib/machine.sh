# This machine's own network settings that a build inside a container does not know by itself.
# shellcheck shell=bash

# Prints the machine's CA bundle: inside a build, clients know only the image's own.
ca_bundle() {
  local file
  for file in "$(setting BUILD_CA_FILE "$ENV_FILE")" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt \
    /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -n "$file" ] && [ -s "$file" ]; then
      echo "$file"
      return
    fi
  done
}

# Prints the Go module proxy when it is set to something of this machine's own; Go's default needs no mention.
go_proxy() {
  local value
  value=$(setting GOPROXY "$ENV_FILE")
  if [ -z "$value" ] && have go; then
    value=$(go env GOPROXY 2>/dev/null || true)
    if [ "$value" = "$(GOENV=off GOPROXY='' go env GOPROXY 2>/dev/null || true)" ]; then value=; fi
  fi
  echo "$value"
}

# Prints the npm registry when it is set to something of this machine's own.
npm_registry() {
  local value
  value=$(setting NPM_CONFIG_REGISTRY "$ENV_FILE")
  value=${value:-${npm_config_registry:-}}
  if [ -z "$value" ] && [ -f "$HOME/.npmrc" ]; then
    value=$(sed -n 's/^[ \t]*registry[ \t]*=[ \t]*//p' "$HOME/.npmrc" | tail -n 1)
  fi
  echo "$value"
}

# Copies the CA bundle beside .env and prints the copy's path, for .env. Compose's builder may refuse to read a file
# from outside the project ("additional privileges requested").
ca_copy() {
  local file copy
  file=$(ca_bundle)
  copy="$(dirname "$ENV_FILE")/.cache/build_ca.pem"
  if [ -z "$file" ]; then return; fi
  if [ ! "$file" -ef "$copy" ] && ! cmp -s "$file" "$copy"; then
    mkdir -p "$(dirname "$copy")"
    cp "$file" "$copy"
  fi
  echo ./.cache/build_ca.pem
}

# Prints the lines of .env that give those settings to Compose's builds, without those the user has in .env already.
build_settings() {
  local line user
  user=$(without_block "$ENV_FILE")
  for line in "BUILD_CA_FILE=$(ca_copy)" "GOPROXY=$(go_proxy)" "NPM_CONFIG_REGISTRY=$(npm_registry)"; do
    if [ -n "${line#*=}" ] && [ -z "$(env_value "${line%%=*}" <<<"$user")" ]; then echo "$line"; fi
  done
}
