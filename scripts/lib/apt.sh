# Finds out which Debian mirror this machine's own apt uses, and fetches packages of another suite from it
# without touching the machine's apt: own sources, own lists, nothing installed.
# shellcheck shell=bash

# Prints "<address> <suite> <component>" for each binary source that apt has on, as apt itself reads them
# (.list and .sources alike). Arguments are passed to apt-get.
apt_sources() {
  # shellcheck disable=SC2016 # $(...) is apt's own notation
  apt-get "$@" indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | awk '!seen[$0]++'
}

# Prints the address of the first source of Debian proper: the suite is a Debian one and the component is main.
# Other vendors use Debian's suite names too, but not its components. Reads apt_sources' lines; empty if there is none.
debian_mirror() {
  awk -v code="${1:-}" '
    $3 == "main" && ($2 == code || $2 ~ /^(bookworm|trixie|forky|duke|sid|stable|testing|unstable)$/) { print $1; exit }
  ' | plain_address
}

# The same for Debian's security updates.
debian_security_mirror() {
  awk '$3 == "main" && $2 ~ /^[a-z]+-security$/ { print $1; exit }' | plain_address
}

# apt may read its mirrors from a file (mirror+file:/…, usual on cloud machines); a build cannot, so take the first.
plain_address() {
  local address
  while read -r address; do
    address=${address%/}
    case $address in
      mirror+file:*) awk 'NF && $1 !~ /^#/ { print $1; exit }' "/${address#mirror+file:*/}" 2>/dev/null || true ;;
      *) echo "$address" ;;
    esac
  done | sed 's,/*$,,'
}

# Prints this machine's codename (bookworm), or nothing.
codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null | tr -d '"'; }

# Prints the proxy apt is told to use, or nothing: builds need it as well.
apt_proxy() {
  local PROXY=
  eval "$(apt-config shell PROXY Acquire::http::Proxy)"
  echo "$PROXY"
}

# Runs apt-get on Debian testing alone. Usage: apt_testing <mirror> <apt-get arguments>...
# Testing's Release file may be stale on a mirror; apt still checks every signature and checksum.
apt_testing() {
  local mirror=$1 dir="$CACHE_DIR/apt" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  echo "deb [signed-by=$keyring] $mirror testing main" >"$dir/sources.list"
  apt-get -q \
    -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" \
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

# Installs packages of the machine's own suite. The index is fetched first: it may be old or absent. When one of the
# machine's sources is broken, the others may still do.
apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update || echo "apt-get update failed; going on with what there is"
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q install -y "$@"
}
