# What the build scripts of the stand-ins share: how an image is built and marked. Sourced by them only.
# They get from bootstrap: CACHE_DIR, BASE, DEBIAN_MIRROR, and, where this machine has them, BUILD_CA_FILE, APT_PROXY, GOPROXY.
# shellcheck shell=bash

# Builds an image from a folder and marks it with its fingerprint, by which bootstrap knows that it is up to date.
# Usage: build_image <image> <fingerprint> <folder> [docker buildx build arguments]...
build_image() {
  local image=$1 fingerprint=$2 folder=$3 secret=()
  shift 3
  # A mirror or proxy of the network's own has a certificate that only this machine's CA bundle knows.
  if [ -n "${BUILD_CA_FILE:-}" ]; then secret=(--secret "id=ca,src=$BUILD_CA_FILE"); fi
  docker buildx build --load --progress plain --label "rollcall.stand-in=$fingerprint" --tag "$image" \
    ${secret[@]+"${secret[@]}"} "$@" "$folder"
}

# Prints the build arguments for a build that uses apt.
apt_arguments() {
  printf '%s\n' --build-arg "DEBIAN_MIRROR=$DEBIAN_MIRROR"
  if [ -n "${APT_PROXY:-}" ]; then printf '%s\n' --build-arg "http_proxy=$APT_PROXY"; fi
}
