# The images Rollcall is built from: their official names, their stand-ins, and what the stand-ins are made of.
# Every name and version is written here and, as a default, in compose.yaml; a test holds the two together.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are read by the scripts that source this file

# Each of these may be set by the user, in the environment or in .env; what they set is used as it is.
IMAGE_VARIABLES="DEBIAN_IMAGE NGINX_IMAGE ETCD_IMAGE GO_IMAGE DENO_IMAGE"

OFFICIAL_DEBIAN_IMAGE=debian:trixie-slim
OFFICIAL_NGINX_IMAGE=nginx:1.30
OFFICIAL_ETCD_IMAGE=gcr.io/etcd-development/etcd:v3.6.16
OFFICIAL_GO_IMAGE=golang:1.26
OFFICIAL_DENO_IMAGE=denoland/deno:2.9.8

STAND_IN_DEBIAN_IMAGE=rollcall-base/debian:trixie-slim
STAND_IN_NGINX_IMAGE=rollcall-base/nginx:1.30
STAND_IN_ETCD_IMAGE=rollcall-base/etcd:v3.6.16
STAND_IN_GO_IMAGE=rollcall-base/golang:1.26
STAND_IN_DENO_IMAGE=rollcall-base/deno:2.9.8

# `deno compile` needs a runtime of its own version, and no package registry has one newer than 2.6.10.
# Where the official Deno image is to be had, the service is compiled with that one instead.
STAND_IN_DENO_COMPILE_IMAGE=rollcall-base/deno-compile:2.6.10

# A Deno on PATH runs the tests when it is at least this, and of the same major version.
DENO_MINIMUM=2.9.6

# Compose with `build.secrets`, `!reset` and `up --wait` as they are used here; any buildx with `--secret`.
COMPOSE_MINIMUM=2.24.0
BUILDX_MINIMUM=0.11.0
