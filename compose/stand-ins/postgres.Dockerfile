# Stands in for postgres:17 where no registry is reachable: Debian's PostgreSQL 17 with the same user, folders,
# variables and signals, as far as compose.yaml uses them.
FROM debian:trixie-slim

RUN groupadd --system --gid 999 postgres \
    && useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && apt-get update \
    && apt-get install -y --no-install-recommends postgresql-17 \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* /etc/postgresql/* \
    && install -d -m 1777 -o postgres -g postgres /var/lib/postgresql /var/lib/postgresql/data \
    && install -d -m 3777 -o postgres -g postgres /var/run/postgresql \
    && mkdir /docker-entrypoint-initdb.d

COPY compose/stand-ins/postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh

ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin \
    LANG=C.UTF-8 \
    PG_MAJOR=17 \
    PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
LABEL dreamstack.stand-in=true
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
