#!/usr/bin/env bash
# Makes build/ansible, a virtual environment with the pinned Ansible; returns at once when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

here=build/ansible
wanted=$(sha256sum requirements/ansible.txt)
[ "$(cat $here/stamp 2>/dev/null)" = "$wanted" ] && exit 0
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
.venv/bin/python -m venv --clear $here
$here/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/ansible.txt
echo "$wanted" >$here/stamp
