# Stands in for postgrest/postgrest where no registry is reachable: the same static program, and nothing else.
FROM scratch
ARG ARCH=amd64
COPY build/wheelhouse/${ARCH}/bin/postgrest /bin/postgrest
LABEL dreamstack.stand-in=true
USER 1000
EXPOSE 3000
CMD ["/bin/postgrest"]
