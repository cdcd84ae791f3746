"""check.py: rows near the limit of 1 GB, which no buffer of the server can pass on.

Real rows of hundreds of megabytes: minutes, some gigabytes of memory and disk; therefore not part of make check.
"""

import sys

import psycopg

from lib.cluster import Cluster

MB = 1 << 20

# Text whose JSON is six times as long, an update whose two rows are too much together, and rows that fit.
ROWS = """
create table t (id int primary key, a text, b text);
alter table t alter a set storage external, replica identity full;
select 'init' from pg_create_logical_replication_slot('large', 'cdc_decoder');
insert into t select 1, repeat(e'\\x01', 200 * 1024 * 1024), 'before';
insert into t select 2, repeat('a', 600 * 1024 * 1024), 'fits';
update t set a = repeat('b', 500 * 1024 * 1024), b = 'too much' where id = 2;
insert into t values (3, 'small', 'after');
"""

# A format: which rows arrive, how many do not, and what the message about the first of these says.
EXPECTED = {
    "json": (["2", "3"], 2, 'largest column is "a", with %d bytes' % (200 * MB)),
    "record": (["2", "3"], 2, 'largest column is "a", with %d bytes' % (200 * MB)),
    "frame": (["1", "2", "3"], 1, 'largest column is "a", with %d bytes' % (600 * MB)),
}


def rows_seen(connection, kind, options):
    """The ids of the rows that arrive, by their length and content looked at in the server."""
    arguments = ", ".join("'%s', '%s'" % pair for pair in options.items())
    if kind == "frame":
        # the id, an int4 of the tuple's first entry, after N, the count of columns, b and its length
        query = ("select id from pg_logical_slot_peek_binary_changes('large', null, null, %s),"
                 " generate_series(1, 3) id"
                 " where position(decode('4e000362000000040000000' || id, 'hex') in data) > 0 order by id")
    else:
        marker = '"after":{"id":' if kind == "json" else '\\"after\\":{\\"id\\":'
        query = ("select id from pg_logical_slot_peek_changes('large', null, null, %s), generate_series(1, 3) id"
                 " where position('" + marker.replace("%", "%%") + "' || id in left(data, 1000)) > 0 order by id")
    return [str(row[0]) for row in connection.execute(query % arguments).fetchall()]


def check(connection, kind):
    """What is wrong with a format: a list of sentences."""
    arrive, refused, said = EXPECTED[kind]
    options = {"format": kind}
    found = []
    try:
        rows_seen(connection, kind, options)
        found.append("%s: a row that is too large was no error" % kind)
    except psycopg.errors.ProgramLimitExceeded as error:
        text = "%s %s %s" % (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint)
        for part in ('row of table "public.t" is too large to send', said, "event_processing_failure_handling_mode"):
            if part not in text:
                found.append("%s: the error does not say %r: %s" % (kind, part, text))
    for mode in ("warn", "skip"):
        notices = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        seen = rows_seen(connection, kind, {**options, "event_processing_failure_handling_mode": mode})
        connection._notice_handlers.clear()
        warned = sum("too large to send" in notice for notice in notices)
        if seen != arrive:
            found.append("%s, %s: rows %s arrived, not %s" % (kind, mode, seen, arrive))
        if warned != (refused if mode == "warn" else 0):
            found.append("%s, %s: %d warnings" % (kind, mode, warned))
    return found


def main():
    cluster = Cluster(wal_sender_timeout=0, max_wal_size="8GB")
    cluster.start()
    database = cluster.create_database("large")
    database.psql(ROWS)
    failed = 0
    with database.connect() as connection:
        for number, kind in enumerate(EXPECTED, 1):
            found = check(connection, kind)
            failed += bool(found)
            print("%s %d - %s" % ("not ok" if found else "ok", number, kind), flush=True)
            for line in found:
                print("#   " + line)
    if "rows that were too large to send were left out" not in cluster.log.read_text(encoding="utf-8", errors="replace"):
        failed += 1
        print("not ok - the server's log counts the rows left out")
    print("%d passed, %d failed" % (len(EXPECTED) - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
