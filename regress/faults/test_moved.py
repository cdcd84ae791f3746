"""Partitions that come, go and are emptied, tables made again and rewritten, with kill -9 at moments of chance.

Of none of these does the stream tell all, of some nothing: silver says what it lacks, and reads it by itself.  Every round ends with
no table stale, silver equal to the source by two readers and verify, each streamed change in Kafka and bronze once,
and no r in Kafka but those of the first snapshot.

    ROUNDS=40 SEED=3 make check-faults TESTS=moved
"""

import collections
import json
import os
import random

from lib.consumer import read_all
from lib.support import wait_for
from lib.truth import check_kafka, check_silver, finish, row_changes, wait_read

ROUNDS = int(os.environ.get("ROUNDS", "4"))
SEED = int(os.environ.get("SEED", "1"))

LEAVES = {"a": "for values in ('a')", "b": "for values in ('b')", "Odd, leaf": "for values in ('o')",
          "s1": "for values from (0) to (5000)", "s2": "for values from (5000) to (1000000)"}
PARENT = {"s1": "sub", "s2": "sub"}

SHAPE = """
    create table first (id int, r text, n int, v text, primary key (r, id)) partition by list (r);
    create table other (id int, r text, n int, v text, primary key (r, id)) partition by list (r);
    create table sub partition of first for values in ('s') partition by range (id);
    create table a partition of first for values in ('a');
    create table b partition of first for values in ('b');
    create table "Odd, leaf" partition of first for values in ('o');
    create table s1 partition of sub for values from (0) to (5000);
    create table s2 partition of sub for values from (5000) to (1000000);
    create table other_rest partition of other for values in ('x');
    create table again (id int primary key, n int, v text);
    create table plain (id int primary key, n int, v text);
    insert into first select i, (array['a', 'b', 'o', 's'])[1 + i % 4], 0, 'v' || i from generate_series(1, 20000) i;
    insert into other values (1, 'x', 0, 'v');
    insert into again select i, 0, 'v' || i from generate_series(1, 2000) i;
    insert into plain select i, 0, repeat('v', 100) || i from generate_series(1, 30000) i;
"""


class Source:
    """What the partitions belong to, and what may be done next."""

    def __init__(self, db, generator):
        self.db = db
        self.generator = generator
        self.home = {leaf: PARENT.get(leaf, "first") for leaf in LEAVES}  # None: a table of its own

    def change(self, table, condition="true"):
        modulus = self.generator.randint(3, 60)
        self.db.psql('update "%s" set n = n + 1 where id %% %d = 0 and %s' % (table, modulus, condition))

    def touch(self, leaf):
        """A change of a row that is new: it tells whose partition it is now."""
        region = LEAVES[leaf].split("'")[1] if "'" in LEAVES[leaf] else "s"
        low, high = (5000, 999000) if leaf == "s2" else (20, 4999)
        self.db.psql('insert into "%s" values (%d, \'%s\', -1, \'new\') on conflict (r, id) do update set n = -2'
                     % (leaf, self.generator.randint(low, high), region))

    def truncate(self):
        leaf = self.generator.choice(sorted(LEAVES))
        self.db.psql('truncate "%s"' % leaf)
        self.touch(leaf)

    def move(self):
        """Detach it, or attach it, to where it was or to the other table."""
        leaf = self.generator.choice(sorted(LEAVES))
        home = self.home[leaf]
        if home is not None:
            way = self.generator.choice(["", " concurrently"])
            self.db.psql('alter table %s detach partition "%s"%s' % (home, leaf, way))
            self.home[leaf] = None
        else:
            home = PARENT.get(leaf) or self.generator.choice(["first", "other"])
            self.db.psql('alter table %s attach partition "%s" %s' % (home, leaf, LEAVES[leaf]))
            self.home[leaf] = home
        if self.generator.random() < 0.5:  # else the stream does not tell
            self.touch(leaf)

    def make_again(self):
        self.db.psql("begin; drop table again; create table again (id int primary key, v text, n int, w int default 3);"
                     "insert into again select i, 'again', 0 from generate_series(1, %d) i; commit"
                     % self.generator.randint(1, 3000))

    def swap(self):
        self.db.psql("create table copied (id int primary key, n int, v text); insert into copied select id, n, v from again;"
                     "begin; drop table again; alter table copied rename to again; commit;"
                     "insert into again values (100000, 1, 'swapped') on conflict (id) do update set v = 'swapped'")

    def rewrite(self):
        self.db.psql("alter table %s alter v type text using v || '.'" % self.generator.choice(["plain", "first", "again"]))

    def act(self):
        for _ in range(self.generator.randint(1, 4)):
            self.generator.choice([self.truncate, self.move, self.move, self.make_again, self.swap, self.rewrite])()
            self.change(self.generator.choice(["plain", "first", "other", "again"]))
        self.db.psql("delete from plain where id % 97 = {0}; insert into plain values (100000 + {1}, 0, 'new')"
                     " on conflict (id) do update set v = 'again'".format(self.generator.randrange(97),
                                                                         self.generator.randrange(1000)))

    def tables(self):
        """Those that silver has as their own."""
        return ["first", "other", "again", "plain"] + [leaf for leaf in LEAVES if self.home[leaf] is None]


def streamed(db, until):
    """Counter of LSNs of row changes, by the plugin."""
    with db.connect() as connection:
        printed = [json.loads(data) for (data,) in connection.execute(
            "select data from pg_logical_slot_peek_changes('reference', %s, null, 'format', 'json', 'skipped_operations',"
            " 'none', 'message_prefix_exclude_list', 'test,cdc_sink.*', 'table_exclude_list', 'public.copied')", (until,))]
    changes = collections.Counter()
    for (_, lsn), count in row_changes(db, printed).items():
        changes[lsn] += count
    return changes


def check_events(t, db, worker, until, rows):
    """Kafka and bronze have each streamed change once, and Kafka no more r than the tables had rows at first."""
    prefix = worker.config["topic.prefix"]
    check_kafka(db, t.broker, prefix, until, without=(prefix + ".public.copied",))
    topics = [topic for topic in t.broker.topics() if topic.startswith(prefix + ".")]
    reads = sum(record.value is not None and record.json["op"] == "r" for record in read_all(t.broker, *topics))
    assert reads <= rows, (reads, rows)
    lake = t.lake(worker)
    expected = streamed(db, until)
    seen = collections.Counter()
    for table in lake.tables():
        if table.startswith("bronze_"):
            seen.update(row[0] for row in lake.sql("select lsn from %s where op <> 'r'" % lake.scan(table)).fetchall())
    assert seen == expected, (sorted((seen - expected).items())[:5], sorted((expected - seen).items())[:5])


def test_moved_and_killed(t):
    generator = random.Random(SEED)
    db = t.database()
    db.psql(SHAPE)
    rows = 2 * int(db.psql("select (select count(*) from first) + 1 + (select count(*) from again) + (select count(*) from plain)"))
    worker = t.worker(db, outputs="kafka,bronze,silver", **{
        "lake.flush.interval.ms": 100, "lake.partitions.check.interval.ms": 200, "lake.on.recreated": "by_name", "table.exclude.list": "public.copied"})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")
    source = Source(db, generator)
    for number in range(ROUNDS):
        for _ in range(generator.randint(1, 4)):
            source.act()
            if generator.random() < 0.8:
                assert worker.run_for(generator.uniform(0.02, 1.0)), worker.log_tail()
                worker.kill()
                if generator.random() < 0.5:
                    source.act()
                worker.start()
        wait_for(lambda: worker.command("verify")[0] == 0, 120,
                 lambda: "".join(worker.command("verify")[1:]) + worker.log_tail())
        wait_read(t, db, worker)
        assert worker.command("status")[0] in (0, 1)
        until = finish(db, worker)
        try:
            check_silver(db, worker, t.lake(worker), source.tables())
            check_events(t, db, worker, until, rows)
        except AssertionError as error:
            raise AssertionError("round %d, seed %d: %s" % (number, SEED, error)) from None
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
    readings = worker.log_text().count("the stream is held at")
    wait_for(lambda: worker.running, 1, "the worker to live")
    print("%d rounds, %d readings" % (ROUNDS, readings))


test_moved_and_killed.seconds = 80
test_moved_and_killed.timeout = max(600, 90 * ROUNDS)
