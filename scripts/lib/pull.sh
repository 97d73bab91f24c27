# Pulls one image, and tells a registry that refuses from one that cannot be reached.
# shellcheck shell=bash

# A registry that has not begun to answer after this many seconds is taken for unreachable.
ANSWER_SECONDS=10

# What pull_image returns when no registry answered.
NO_ANSWER=20

# Pulls an image. Returns 0 when it is there, NO_ANSWER when no registry answered in time, 1 when one refused or broke off.
# Usage: pull_image <image> <log> [seconds]
pull_image() {
  local image=$1 log=$2 limit=${3:-$ANSWER_SECONDS} pid waited status=0
  : >"$log"
  docker pull "$image" >"$log" 2>&1 </dev/null &
  pid=$!
  for ((waited = 0; waited < limit * 10; waited++)); do
    if registry_answered "$log" || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  if ! registry_answered "$log" && kill -0 "$pid" 2>/dev/null; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    echo "no answer within $limit s" >>"$log"
    return "$NO_ANSWER"
  fi
  wait "$pid" || status=$?
  if [ "$status" = 0 ]; then return 0; fi
  if registry_answered "$log"; then return 1; fi
  return "$NO_ANSWER"
}

# True if the pull's output is that of a registry: it has begun, or was refused in a registry's own words.
# A proxy that refuses, or answers with a certificate or a page of its own, is not one.
registry_answered() {
  grep -Eq 'Pulling from|Digest:|toomanyrequests|manifest unknown|manifest for .* not found|no matching manifest|access to the resource is denied|repository does not exist|unauthorized: ' "$1"
}
