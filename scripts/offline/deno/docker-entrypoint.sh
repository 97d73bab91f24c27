#!/bin/sh
# Like the official image's entrypoint: a file or a subcommand goes to deno, anything else is run as it is.
set -eu
case "${1:-}" in
  "") exec deno ;;
  -*|*.ts|*.tsx|*.js|*.mjs|*.mts) exec deno "$@" ;;
  add|audit|bench|bundle|cache|check|clean|compile|completions|coverage|deploy|doc|eval|fmt|help|info|init|install|jupyter|lint|lsp|outdated|publish|remove|repl|run|serve|task|test|types|uninstall|update|upgrade|approve-scripts|create|x)
    exec deno "$@" ;;
  *) exec "$@" ;;
esac
