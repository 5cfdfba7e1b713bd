# An image of the box whose clock a file can move: libfaketime from Debian before everything else.
ARG BASE
FROM ${BASE}
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libfaketime && rm -rf /var/lib/apt/lists/*
ARG OWNER
USER ${OWNER}
