#!/usr/bin/env bash
# Trains the box's own model (make train): scripts/train.sh TRAIN.jsonl.gz DEV.jsonl.gz [options of the trainer].
# The run lies in build/train and goes on where it was stopped; when it is done it becomes models/ask-1-q8_0.gguf.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wikisql=${1:-} dev=${2:-}
[ -f "$wikisql" ] && [ -f "$dev" ] || {
    echo "make train: name WikiSQL's questions, as in: make train WIKISQL=train.jsonl.gz DEV=dev.jsonl.gz" >&2
    exit 2
}
shift 2
if [ ! -x build/train-venv/bin/python ]; then
    python3 -m venv build/train-venv
    build/train-venv/bin/python -m pip install --quiet -r requirements/train.in
fi
base=models/ask-bootstrap-q8_0.gguf
build/train-venv/bin/python -m appliance.llm.training.train --out build/train --begin "$base" \
    --wikisql "$wikisql" --dev "$dev" "$@"
build/train-venv/bin/python -m appliance.llm.training.export build/train/checkpoint.pt models/ask-1-q8_0.gguf --base "$base"
