#!/usr/bin/env bash
# Makes the images that compose.yaml and the Dockerfile start from available: those that are here stay, the others are
# pulled, and where no registry is reachable stand-ins of the same names are built from Debian packages and the pinned
# PostgREST. There is no stand-in for Electric.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

arch=${ARCH:-$(dpkg --print-architecture)}

quiet() { # what a command says is of interest when it fails
    local said
    said=$("$@" 2>&1) || { printf '%s\n' "$said" >&2; return 1; }
}

here() { docker image inspect "$1" >/dev/null 2>&1; }

pulled() { [ "${OFFLINE:-}" != 1 ] && timeout 300 docker pull --quiet --platform "linux/$arch" "$1" >/dev/null 2>&1; }

debian() { # the packages of a minimal Debian, without what -slim leaves out either
    command -v mmdebstrap >/dev/null || {
        [ "$(id -u)" = 0 ] || { echo "mmdebstrap is missing: sudo apt-get install mmdebstrap" >&2; exit 1; }
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
    }
    scripts/mirror.sh | mmdebstrap --quiet --variant=minbase --arch="$arch" --include=ca-certificates \
        --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-include='/usr/share/doc/*/copyright' \
        --dpkgopt=path-exclude='/usr/share/man/*' --dpkgopt=path-exclude='/usr/share/locale/*' \
        --dpkgopt=path-exclude='/usr/share/info/*' --aptopt='Apt::Install-Recommends "false"' \
        trixie - - | docker import --change 'CMD ["bash"]' --change 'LABEL dreamstack.stand-in=true' - "$1" >/dev/null
}

postgres() { quiet docker build --build-arg "ARCH=$arch" -t "$1" -f compose/stand-ins/postgres.Dockerfile .; }

postgrest() {
    [ -x "build/wheelhouse/$arch/bin/postgrest" ] || quiet .venv/bin/python scripts/wheelhouse.py "$arch"
    quiet docker build --build-arg "ARCH=$arch" -t "$1" -f compose/stand-ins/postgrest.Dockerfile .
}

provide() { # image, what builds its stand-in
    local told=ready
    if ! here "$1"; then
        if pulled "$1"; then told=pulled; else "$2" "$1" && told="stand-in built"; fi
    fi
    printf '  %-30s %s\n' "$1" "$told"
}

provide debian:trixie-slim debian
provide postgres:17 postgres
provide postgrest/postgrest:v12.0.2 postgrest
