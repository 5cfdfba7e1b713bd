#!/usr/bin/env bash
# Builds an image twice from nothing but its inputs, and says what differs: scripts/same_image.sh [TARGET]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:-nuc}
rm -rf "build/image/$target.first"
.venv/bin/python -m images build "$target"
mv "build/image/$target" "build/image/$target.first"
.venv/bin/python -m images build "$target"
.venv/bin/python -m images compare "build/image/$target.first" "build/image/$target"
