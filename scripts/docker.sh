#!/usr/bin/env bash
# Makes Docker with its compose command ready: installed from Debian and started where this may be done; else it says
# what to do. Every step may be repeated; when all is there it returns at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

answers() { docker info >/dev/null 2>&1; }

install_docker() {
    has docker && has dockerd && has iptables && return
    [ "$(id -u)" = 0 ] && has apt-get ||
        fail "Docker is missing. Paste this line, then run it again:" "" \
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends docker.io docker-cli iptables" ""
    echo "  installing Docker from Debian"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    local names="docker.io iptables"
    apt-cache show docker-cli >/dev/null 2>&1 && names="$names docker-cli" # a package of its own since Debian 13
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $names >/dev/null
}

start_docker() {
    answers && return
    [ "$(id -u)" = 0 ] || fail "Docker does not answer this user. Paste this line, log in anew, then run it again:" "" \
        "    sudo systemctl start docker && sudo usermod -aG docker $(id -un)" ""
    echo "  starting Docker"
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        PATH="$PATH:/usr/sbin:/sbin" setsid nohup dockerd >/var/log/dockerd.log 2>&1 </dev/null &
    fi
    for _ in $(seq 60); do
        answers && return
        sleep 0.5
    done
    fail "Docker does not start. Its log: /var/log/dockerd.log, or: journalctl -u docker"
}

compose_plugin() { # Debian 13 has it as the package docker-compose; elsewhere the program is taken out of that package
    docker compose version >/dev/null 2>&1 && return
    echo "  fetching docker compose"
    local folder plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$folder'" EXIT
    mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial" "$folder/parts"
    scripts/mirror.sh >"$folder/sources.list"
    local options=(-qq -o "Dir::State=$folder/state" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root
        -o "Dir::Etc::SourceList=$folder/sources.list" -o "Dir::Etc::SourceParts=$folder/parts")
    apt-get "${options[@]}" update
    (cd "$folder" && apt-get "${options[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb files)
    mkdir -p "$plugins"
    install -m 755 "$(find "$folder/files" -path '*cli-plugins/docker-compose' -type f)" "$plugins/docker-compose"
    docker compose version >/dev/null 2>&1 || fail "docker compose cannot be run here, at $plugins/docker-compose."
}

install_docker
start_docker
compose_plugin
