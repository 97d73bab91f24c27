# Reads .env and keeps bootstrap's own marked block in it. Whatever else stands in the file is the user's.
# shellcheck shell=bash

BLOCK_BEGIN='# >>> rollcall bootstrap: written by scripts/bootstrap, do not edit between these two lines >>>'
BLOCK_END='# <<< rollcall bootstrap <<<'

# Prints a file without bootstrap's block. Fails when the block's end is missing: what follows may be the user's.
without_block() {
  [ -f "$1" ] || return 0
  awk -v begin="$BLOCK_BEGIN" -v end="$BLOCK_END" '
    { line = $0; sub(/\r$/, "", line) }
    line == begin { if (inside) exit 1; inside = 1; next }
    line == end && inside { inside = 0; next }
    !inside { print }
    END { if (inside) exit 1 }
  ' "$1"
}

# Prints what stands in bootstrap's block.
block_of() {
  [ -f "$1" ] || return 0
  awk -v begin="$BLOCK_BEGIN" -v end="$BLOCK_END" '
    { sub(/\r$/, "") }
    $0 == begin { inside = 1; next }
    $0 == end { inside = 0; next }
    inside { print }
  ' "$1"
}

# Prints the value of a variable in the .env text on standard input; the last one counts, as for Compose.
env_value() {
  awk -v name="$1" '
    { sub(/\r$/, ""); sub(/^[ \t]+/, ""); sub(/^export[ \t]+/, "") }
    index($0, name) == 1 {
      rest = substr($0, length(name) + 1)
      if (rest !~ /^[ \t]*[=:]/) next
      sub(/^[ \t]*[=:][ \t]*/, "", rest)
      quote = substr(rest, 1, 1)
      if (quote == "\"" || quote == "\047") {
        rest = substr(rest, 2)
        sub(quote ".*$", "", rest)
      } else {
        sub(/[ \t]+#.*$/, "", rest)
        sub(/[ \t]+$/, "", rest)
      }
      value = rest
    }
    END { print value }
  '
}

# Prints what the user set a variable to: in the environment, else in .env outside bootstrap's block.
# Usage: setting <variable> <.env file>
setting() {
  if [ -n "${!1:-}" ]; then
    echo "${!1}"
  else
    without_block "$2" | env_value "$1"
  fi
}

# Puts the block's lines, from standard input, into the file; no lines, no block. The rest stays as it is.
# An unchanged file is not touched; one that would be empty is removed. Usage: write_block <.env file> < lines
write_block() {
  local file=$1 lines target next
  lines=$(cat)
  if [ -z "$lines" ] && ! grep -qF "$BLOCK_BEGIN" "$file" 2>/dev/null; then return; fi
  target=$file
  if [ -L "$file" ]; then target=$(readlink -f "$file"); fi
  next=$(mktemp "$target.XXXXXX")
  if ! without_block "$target" >"$next"; then
    rm -f "$next"
    fail "$EXIT_FAILED" "Cannot update $file: the line that begins bootstrap's block has no line that ends it." \
      "Remove the line '$BLOCK_BEGIN' and the settings of bootstrap's below it, then run this again."
  fi
  if [ -n "$lines" ]; then printf '%s\n%s\n%s\n' "$BLOCK_BEGIN" "$lines" "$BLOCK_END" >>"$next"; fi
  if [ -f "$target" ] && cmp -s "$next" "$target"; then
    rm -f "$next"
  elif [ ! -s "$next" ]; then
    rm -f "$next" "$target"
  else
    if [ -f "$target" ]; then
      chmod "$(stat -c %a "$target" 2>/dev/null || stat -f %Lp "$target")" "$next"
    else
      chmod "$(printf '%o' $((0666 & ~$(umask))))" "$next"
    fi
    mv "$next" "$target"
  fi
}
