# PostgreSQL with the plugin: the official image, and nothing changed in it but
#
#   - cdc_decoder.so, built for the very server of the image,
#   - wal_level and, where the server knows it, output_plugin_libraries in the settings that new clusters get
#     (postgresql.conf.sample; a cluster that was made by another image keeps its own, see README),
#   - the role "cdc" for the worker, made at the first start when CDC_PASSWORD or CDC_PASSWORD_FILE is set,
#   - a health check.
#
# So all that is known of the official image holds: POSTGRES_PASSWORD, POSTGRES_DB, their _FILE forms,
# /docker-entrypoint-initdb.d, PGDATA, the signal it is stopped by.
#
#   docker build -f docker/postgres.Dockerfile -t cdc-postgres .
#   docker build -f docker/postgres.Dockerfile --build-arg POSTGRES=postgres:15 -t cdc-postgres .
#
# Images that are made of Debian will do (15, 17 or 18), those of Alpine will not.
ARG POSTGRES=postgres:17

FROM ${POSTGRES} AS build
USER root
WORKDIR /src
# What building needs changes seldom: a layer of its own.
COPY regress/tools/common.sh regress/tools/deps.sh regress/tools/duckdb.sh regress/tools/
RUN regress/tools/deps.sh plugin
COPY . .
RUN regress/tools/build-decoder.sh && \
    install -D -m 755 build/decoder/cdc_decoder.so "/image$(pg_config --pkglibdir)/cdc_decoder.so"

FROM ${POSTGRES}
COPY --from=build /image /
COPY docker/create-role.sh /docker-entrypoint-initdb.d/00-cdc-role.sh
# A server that does not know output_plugin_libraries would not start with it.
RUN sample=$(pg_config --sharedir)/postgresql.conf.sample && \
    echo "wal_level = logical" >>"$sample" && \
    if postgres --describe-config | cut -f1 | grep -qx output_plugin_libraries; then \
        echo "output_plugin_libraries = 'pgoutput, test_decoding, cdc_decoder'" >>"$sample"; \
    fi
# By TCP, which the first start does not serve before it is complete.
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=5 \
    CMD ["pg_isready", "-q", "-h", "127.0.0.1"]
