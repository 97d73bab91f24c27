# Sees to it that the tests of the page find a Chromium. Only where apt has one: elsewhere those tests say what they miss.
# shellcheck shell=bash

chromium_on_path() { have chromium || have chromium-browser || have google-chrome-stable || have google-chrome; }

# Installs Debian's Chromium when there is none and it may be; never fails, as all other tests do without.
ensure_chromium() {
  if [ -n "${CHROMIUM_BIN:-}" ] || chromium_on_path || ! have apt-get; then return; fi
  if [ "${ROLLCALL_INSTALL:-yes}" = no ]; then
    say "There is no Chromium for the tests of the page, and ROLLCALL_INSTALL=no. Run this yourself: apt-get install chromium"
    return
  fi
  if [ "$(id -u)" != 0 ] && ! { have sudo && sudo -n true 2>/dev/null; }; then
    say "There is no Chromium for the tests of the page, and installing it needs root"
    return
  fi
  say "There is no Chromium for the tests of the page: installing it (ROLLCALL_INSTALL=no prevents that)"
  if ! apt_install --no-install-recommends chromium >"$LOG_DIR/chromium.log" 2>&1; then
    say "Cannot install chromium; see $LOG_DIR/chromium.log"
  fi
}
