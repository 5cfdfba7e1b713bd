#!/usr/bin/env bash
# The box in containers: scripts/compose.sh up | down. What is made once, secrets and .env, is never written again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

arch=$(dpkg --print-architecture 2>/dev/null || echo amd64)
secrets=${DREAMSTACK_SECRETS:-secrets}

quiet() { # what a command says is of interest when it fails
    local said
    said=$("$@" 2>&1) || { printf '%s\n' "$said" >&2; return 1; }
}

random() { head -c 32 /dev/urandom | base64 | tr -d '+/=\n'; }

private() { # file, content: readable within containers, whose users are not this one, through a folder that is not
    [ -s "$1" ] && return
    printf '%s\n' "$2" >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
}

make_secrets() {
    mkdir -p "$secrets" backups
    chmod 700 "$secrets"
    chmod 1777 backups
    private "$secrets/database-password" "$(random)"
    private "$secrets/electric-secret" "$(random)"
    private "$secrets/electric.env" "DATABASE_URL=postgresql://postgres:$(<"$secrets/database-password")@database.box:5432/dreamstack
ELECTRIC_SECRET=$(<"$secrets/electric-secret")"
}

make_environment() { # a container cannot see by which names and addresses its machine is reached
    [ -e .env ] && return
    local names
    names=$(hostname),$(hostname).local,$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -v : | paste -sd, || true)
    cat >.env <<END
# Of this machine; read by docker compose. Names and addresses by which browsers reach it:
DREAMSTACK_NAMES=${DREAMSTACK_NAMES:-$names}
DREAMSTACK_PORT=${DREAMSTACK_PORT:-8443}
DREAMSTACK_DEMO=${DREAMSTACK_DEMO:-none}
DREAMSTACK_TIMEZONE=${DREAMSTACK_TIMEZONE:-$(cat /etc/timezone 2>/dev/null || true)}
END
}

fresh() { # nothing that goes into the wheelhouse is newer than it
    local sums=build/wheelhouse/$arch/SHA256SUMS
    [ -s "$sums" ] && [ -z "$(find appliance models requirements pyproject.toml scripts/wheelhouse.py scripts/llama_wheel.py \
        -newer "$sums" -not -path '*/__pycache__*' -not -name '*.pyc' -type f -print -quit)" ]
}

image() {
    echo "  building the image"
    fresh || quiet .venv/bin/python scripts/wheelhouse.py "$arch"
    quiet docker build --build-arg "ARCH=$arch" -t dreamstack/appliance:latest .
}

up() {
    scripts/docker.sh
    scripts/base_images.sh
    image
    make_secrets
    make_environment
    docker compose up --detach --remove-orphans
    wait_well
    greet
}

wait_well() {
    for _ in $(seq 240); do
        [ "$(docker inspect --format '{{.State.Health.Status}}' "$(docker compose ps -q gateway)" 2>/dev/null)" = healthy ] && return
        sleep 0.5
    done
    docker compose ps --all
    docker compose logs --tail 20
    echo "The box did not become well within two minutes." >&2
    exit 1
}

greet() {
    local port key
    port=$(sed -n 's/^DREAMSTACK_PORT=//p' .env)
    key=$(docker compose run --rm --no-deps -T tools cat /var/lib/dreamstack/box/keys/admin.key)
    echo
    echo "The box is up.    https://$(hostname):${DREAMSTACK_PORT:-${port:-8443}}"
    echo "The admin's key:  $key"
    echo "Stop it with:     make compose-down    (the data stays; docker compose down --volumes removes it)"
}

case ${1:-} in
    up) up ;;
    down) docker compose down --remove-orphans ;;
    image) image ;;
    secrets) make_secrets ;;
    *) echo "scripts/compose.sh up | down | image | secrets" >&2; exit 2 ;;
esac
