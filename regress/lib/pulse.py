"""A small workload that knows by itself what must come out of it.

    pulse = Pulse(db)
    worker = pulse.worker(t)
    pulse.beat()                       # inserts, updates and deletes in both tables
    ...                                # whatever happens
    pulse.settle(worker)               # waits until the worker has confirmed everything
    pulse.judge(t, worker)             # each event once, in order per key; silver equal to the source

Each key has a version that every change counts up, so a lost, repeated or misplaced event shows in the history of
its key alone, and no second slot is needed to tell, which the faults here would break as well.
"""

import collections
import json

from lib.consumer import read_all

TABLES = ("t", "u")


class Pulse:
    def __init__(self, db, rows=20):
        self.db = db
        self.rows = rows
        self.beats = 0
        self.next_id = 1
        self.histories = {}  # id: [(op, version)], the same in both tables
        db.psql("".join("create table %s (id int primary key, version int not null, pad text);" % name
                        for name in TABLES))

    @staticmethod
    def settings(**config):
        return {"lake.flush.interval.ms": 100, "status.update.interval.ms": 200, "errors.retry.delay.max.ms": 500,
                **config}

    def worker(self, t, outputs="kafka,bronze,silver", broker=None, **config):
        return t.worker(self.db, outputs=outputs, broker=broker, **self.settings(**config))

    def alive(self, remainder, modulus):
        return [key for key, history in self.histories.items()
                if history[-1][0] != "d" and key % modulus == remainder]

    def statements(self):
        """One beat as SQL, and noted as done."""
        self.beats += 1
        first, last = self.next_id, self.next_id + self.rows - 1
        self.next_id = last + 1
        third, seventh = self.beats % 3, self.beats % 7
        for key in range(first, last + 1):
            self.histories[key] = [("c", 1)]
        for key in self.alive(third, 3):
            self.histories[key].append(("u", self.histories[key][-1][1] + 1))
        for key in self.alive(seventh, 7):
            self.histories[key].append(("d", None))
        insert = "insert into %%s select n, 1, md5(n::text) from generate_series(%d, %d) as n;" % (first, last)
        update = "update %%s set version = version + 1 where id %% 3 = %d;" % third
        delete = "delete from %%s where id %% 7 = %d;" % seventh
        both = [statement.replace("%s", name).replace("%%", "%")
                for statement in (insert, update, delete) for name in TABLES]
        return "begin;%s%scommit;%s" % (both[0], both[1], "".join(both[2:]))

    def beat(self, count=1):
        self.db.psql("".join(self.statements() for _ in range(count)))
        return self

    def stream(self, worker, timeout=60, **start):
        """Starts it and waits until it streams."""
        since = len(worker.log_text())
        worker.start(**start)
        worker.wait_log("streaming from slot", timeout, since=since)
        return worker

    def settle(self, worker, timeout=90):
        self.db.wait_confirmed(worker.config["slot.name"], self.db.lsn(), timeout)

    def catch_up(self, worker, timeout=90):
        """Starts it, lets it come to the end and stop there."""
        worker.run_until(self.db.lsn(), timeout)

    def judge(self, t, worker, broker=None, gap=False):
        """gap: the tables were read again, so events between may be missing before an "r", deletes altogether."""
        outputs = worker.config["outputs"]
        if "kafka" in outputs:
            self.judge_kafka(broker or t.broker, worker.config["topic.prefix"], gap)
        lake = t.lake(worker) if "lake.warehouse" in worker.config else None
        for table in TABLES:
            if "bronze" in outputs:
                self.judge_bronze(lake, table, gap)
            if "silver" in outputs:
                for reader in ("pyiceberg", "duckdb"):
                    differences = lake.compare(self.db, "public." + table, reader=reader)
                    assert not differences, "\n".join(differences)

    def judge_kafka(self, broker, prefix, gap=False, tables=TABLES, since=None):
        """since: {id: length of its history when the topic began}."""
        for table in tables:
            seen = collections.defaultdict(list)
            for record in read_all(broker, "%s.public.%s" % (prefix, table)):
                if record.value is None:
                    continue  # the tombstone behind a delete
                value = record.json
                version = None if value["op"] == "d" else value["after"]["version"]
                seen[record.json_key["id"]].append((value["op"], version))
            self.compare("topic of %s" % table, seen, gap, since)

    def judge_bronze(self, lake, table, gap=False):
        seen = collections.defaultdict(list)
        for key, op, after in lake.sql("select key, op, after from %s order by commit_lsn, lsn, ordinal"
                                       % lake.scan("bronze_" + table)).fetchall():
            version = None if op == "d" else int(json.loads(after)["version"])
            seen[int(json.loads(key)["id"])].append((op, version))
        self.compare("bronze_" + table, seen, gap)

    def compare(self, where, seen, gap, since=None):
        surplus = sorted(set(seen) - set(self.histories))
        assert not surplus, "%s has keys that never were: %s" % (where, surplus[:5])
        for key, history in self.histories.items():
            expected = history[(since or {}).get(key, 0):]
            problem = (difference_with_gaps if gap else difference)(expected, seen[key])
            assert not problem, "%s, key %d: %s\n  expected %s\n  seen     %s" % (
                where, key, problem, expected, seen[key])


def after_read(history, event):
    """How much of the history a row read by a snapshot stands for."""
    found = [place for place, (_, version) in enumerate(history) if version == event[1]]
    return found[0] + 1 if found else None


def difference(history, seen):
    """None when seen is the history, whose beginning a snapshot may have put together."""
    if seen and seen[0][0] == "r":
        start = after_read(history, seen[0])
        if start is None:
            return "a row that never was"
        history, seen = history[start:], seen[1:]
    return None if history == seen else "not each event once, in order"


def difference_with_gaps(history, seen):
    place = 0
    for event in seen:
        if event[0] == "r":
            place = after_read(history, event)
            if place is None:
                return "a row that never was"
        elif place < len(history) and history[place] == event:
            place += 1
        else:
            return "not in order: %s" % (event,)
    left = history[place:]
    return None if not left or left[-1] == ("d", None) else "not to the end"
