# Finds out which base images are missing, pulls them where a registry answers, and asks for stand-ins where none does.
# shellcheck shell=bash

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

official_image() {
  local name="OFFICIAL_$1"
  echo "${!name}"
}

stand_in_image() {
  local name="STAND_IN_$1"
  echo "${!name}"
}

# Prints what the user chose for an image variable. A stand-in's own name, exported from .env, is not a choice.
chosen_image() {
  local value
  value=$(setting "$1" "$ENV_FILE")
  if [ "$value" != "$(stand_in_image "$1")" ]; then echo "$value"; fi
}

# Promises that every base image is there, or can be pulled; leaves in OVERRIDES the variables that .env must set.
# Usage: ensure_images <ask again: yes or no>
ensure_images() {
  local ask_again=$1 variable image block missing=() closed=()
  # shellcheck disable=SC2034 # bootstrap writes it to .env
  OVERRIDES=()
  block=$(block_of "$ENV_FILE")
  for variable in $IMAGE_VARIABLES; do
    image=$(chosen_image "$variable")
    if [ -n "$image" ]; then
      if ! image_exists "$image"; then missing+=("$variable"); fi
    elif image_exists "$(official_image "$variable")"; then
      :
    elif [ "$ask_again" = no ] && [ "$(env_value "$variable" <<<"$block")" = "$(stand_in_image "$variable")" ]; then
      closed+=("$variable") # what was found out before; --again asks again
    else
      missing+=("$variable")
    fi
  done
  if [ ${#missing[@]} -gt 0 ]; then
    pull_missing "${missing[@]}"
    closed+=(${UNREACHABLE[@]+"${UNREACHABLE[@]}"})
  fi
  if [ ${#closed[@]} -gt 0 ]; then use_stand_ins "${closed[@]}"; fi
}

# Pulls the images of the given variables beside each other; leaves in UNREACHABLE those that no registry answered for.
pull_missing() {
  local variable image images=() pids=() i=0 status failed=no log reason=
  UNREACHABLE=()
  for variable in "$@"; do
    image=$(chosen_image "$variable")
    images+=("${image:-$(official_image "$variable")}")
  done
  say "Not on this machine, pulling: ${images[*]}"
  for image in "${images[@]}"; do
    pull_image "$image" "$(pull_log "$image")" &
    pids+=($!)
  done
  for variable in "$@"; do
    image=${images[$i]}
    log=$(pull_log "$image")
    status=0
    wait "${pids[$i]}" || status=$?
    i=$((i + 1))
    if [ "$status" = 0 ]; then
      say "$image: pulled"
    elif [ "$status" = "$NO_ANSWER" ] && [ -z "$(chosen_image "$variable")" ]; then
      UNREACHABLE+=("$variable")
      reason=$(tail -n 1 "$log")
    else
      failed=yes
      {
        if [ "$status" = "$NO_ANSWER" ]; then
          say "$image, named by $variable: its registry does not answer. The end of $log:"
        else
          say "$image: its registry does not give it. The end of $log:"
        fi
        tail -n 5 "$log" | sed 's/^/    /'
      } >&2
    fi
  done
  if [ "$failed" = yes ]; then
    fail "$EXIT_FAILED" "Cannot get every base image." \
      "Try again later, or name one you have in .env, for example NGINX_IMAGE=registry.example/nginx:1.30"
  fi
  if [ -n "$reason" ]; then say "No image registry answered within $ANSWER_SECONDS s for ${UNREACHABLE[*]}: $reason"; fi
}

pull_log() { echo "$LOG_DIR/pull_${1//[^A-Za-z0-9._-]/_}.log"; }
