# The worker: its binary, the libraries that it is linked with, and nothing else.
#
#   docker build -f docker/cdc-sink.Dockerfile -t cdc-sink .
#
# There is no shell and no package manager in it.  It runs as user 10001 and writes into the lake alone (and to
# /tmp with the command verify), so the root file system can be read-only; mount a volume where lake.warehouse
# points: at /var/lib/cdc-sink/lake, a new one belongs to the user.  Configuration is by environment
# (CDC_SINK_DATABASE_HOSTNAME ...; CDC_SINK_DATABASE_PASSWORD_FILE names a file with the secret), by a mounted
# file, or by both: docker run ... cdc-sink run -c /etc/cdc-sink.properties.
ARG DEBIAN=debian:trixie-slim

FROM ${DEBIAN} AS build
WORKDIR /src
# What building needs changes seldom: a layer of its own.
COPY regress/tools/common.sh regress/tools/deps.sh regress/tools/duckdb.sh regress/tools/
RUN regress/tools/deps.sh worker
COPY . .
RUN make -s -f sink/Makefile -j"$(nproc)" worker && \
    strip build/cdc-sink && \
    docker/collect.sh build/cdc-sink /image

FROM scratch
COPY --from=build /image /
USER 10001:10001
# Variables go before a file's settings, so only what the health check stands on is set.
ENV CDC_SINK_STATUS_ADDRESS=0.0.0.0 \
    CDC_SINK_STATUS_PORT=8008
EXPOSE 8008
# Asks the running worker alone, not the database.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/cdc-sink", "status", "--worker"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/cdc-sink"]
CMD ["run"]
