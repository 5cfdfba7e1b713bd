#!/usr/bin/env bash
# What compose.yaml needs of the entry point of postgres:17: a cluster on the first start, from POSTGRES_USER,
# POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB and POSTGRES_INITDB_ARGS; then the server with its options.
set -euo pipefail

first_start() {
    local password=${POSTGRES_PASSWORD:-} user=${POSTGRES_USER:-postgres}
    [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(<"$POSTGRES_PASSWORD_FILE")
    [ -n "$password" ] || { echo "Give the superuser a password: POSTGRES_PASSWORD_FILE" >&2; exit 1; }
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    # A folder beside it becomes the cluster when it is whole: a container that is killed meanwhile starts anew.
    rm -rf "${PGDATA:?}"/*
    # shellcheck disable=SC2086 # words
    initdb --pgdata="$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    if [ "${POSTGRES_DB:-$user}" != postgres ]; then
        pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" -w start
        PGPASSWORD=$password createdb --host=/var/run/postgresql --username="$user" "${POSTGRES_DB:-$user}"
        pg_ctl -D "$PGDATA" -m fast -w stop
    fi
}

if [ "${1:-}" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        install -d -m 700 -o postgres -g postgres "$PGDATA"
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    [ -s "$PGDATA/PG_VERSION" ] || first_start
fi
exec "$@"
