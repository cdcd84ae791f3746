# PostgreSQL with the plugin.
#
#   docker build -f docker/postgres.Dockerfile -t cdc-postgres .
#
# What docker/postgres-start.sh says: which variables make the first start, and what lies in
# /docker-entrypoint-initdb.d.
ARG DEBIAN=debian:trixie-slim

FROM ${DEBIAN} AS build
WORKDIR /src
COPY regress/tools/common.sh regress/tools/deps.sh regress/tools/duckdb.sh regress/tools/
RUN regress/tools/deps.sh plugin
COPY . .
RUN regress/tools/build-decoder.sh && \
    install -D -m 755 build/decoder/cdc_decoder.so "/image$(pg_config --pkglibdir)/cdc_decoder.so"

FROM ${DEBIAN}
COPY regress/tools/common.sh regress/tools/deps.sh /tmp/regress/tools/
# deps.sh makes no cluster: the first start does, in the volume.
RUN /tmp/regress/tools/deps.sh server && \
    rm -rf /tmp/regress /tmp/build /var/lib/apt/lists/* /var/cache/apt/*.bin && \
    ln -s /usr/lib/postgresql/*/bin /usr/lib/postgresql/bin && \
    install -d -o postgres -g postgres -m 2775 /run/postgresql && \
    install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data && \
    install -d /docker-entrypoint-initdb.d
COPY --from=build /image /
COPY docker/postgres-start.sh /usr/local/bin/
ENV PATH=/usr/lib/postgresql/bin:$PATH PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
USER postgres
VOLUME /var/lib/postgresql/data
EXPOSE 5432
# SIGINT is PostgreSQL's fast shutdown: clients are ended, nothing has to be recovered.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=5 \
    CMD ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"]
ENTRYPOINT ["postgres-start.sh"]
CMD ["postgres"]
