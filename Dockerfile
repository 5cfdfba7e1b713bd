# The appliance's own image: pgflex, llm, bridge, gateway, and the command `appliance`. Built by `make compose-up`, or:
#   .venv/bin/python scripts/wheelhouse.py amd64 && docker build --build-arg ARCH=amd64 -t dreamstack/appliance .
# All of Python comes from the wheelhouse, by hash; nothing is fetched but Debian's packages.

FROM debian:trixie-slim AS wheels
ARG ARCH=amd64
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv
# pg_dump and pg_restore alone: the package around them brings Perl.
RUN cd /tmp && apt-get download postgresql-client-17 && dpkg-deb -x postgresql-client-17_*.deb client \
    && mkdir -p /opt/dreamstack/postgresql/bin \
    && cp client/usr/lib/postgresql/17/bin/pg_dump client/usr/lib/postgresql/17/bin/pg_restore /opt/dreamstack/postgresql/bin/
# What others wrote first: it changes seldom.
COPY build/wheelhouse/${ARCH}/[^d]*.whl build/wheelhouse/${ARCH}/di*.whl /wheelhouse/
RUN python3 -m venv /opt/dreamstack/venv \
    && /opt/dreamstack/venv/bin/pip install --quiet --no-compile --no-index --no-deps /wheelhouse/*.whl
COPY build/wheelhouse/${ARCH} /wheelhouse
# Compiled once, by content: the same bits each time, and nothing to write on a file system that is read-only.
RUN cd /wheelhouse && sha256sum --quiet -c SHA256SUMS \
    && /opt/dreamstack/venv/bin/pip install --quiet --no-compile --no-index --no-deps dreamstack_appliance-*.whl \
    && /opt/dreamstack/venv/bin/pip uninstall --quiet --yes pip \
    && find /opt/dreamstack -name __pycache__ -prune -exec rm -rf {} + \
    && PYTHONHASHSEED=0 python3 -m compileall -q -j 1 --invalidation-mode unchecked-hash /opt/dreamstack/venv/lib

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends espeak-ng libgomp1 libpq5 python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/log/* /etc/machine-id \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dreamstack \
    && cd /var/lib && mkdir -p dreamstack/box && cd dreamstack/box \
    && mkdir -p keys run parts/pgflex parts/llm parts/bridge parts/gateway \
    && mkdir -p /run/dreamstack/postgrest /run/dreamstack/pgflex /run/dreamstack/llm /run/dreamstack/bridge /run/dreamstack/gateway /backup \
    && chown -R dreamstack:dreamstack /var/lib/dreamstack /run/dreamstack /backup \
    && chmod -R go= /run/dreamstack /backup keys parts
COPY --from=wheels /opt/dreamstack /opt/dreamstack
COPY compose/deployment.toml /etc/dreamstack/deployment.toml
ENV PATH=/opt/dreamstack/venv/bin:/opt/dreamstack/postgresql/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER dreamstack
WORKDIR /
HEALTHCHECK --interval=10s --timeout=10s --retries=3 --start-period=60s CMD ["python", "-m", "appliance.services.alive"]
CMD ["appliance", "--help"]
