"""check.py [CASE...]: replays the recorded cases and compares with what Debezium 3.6.1 emitted.

Two legs: the plugin's format=record, read by SQL, and the worker, run with the case's settings into a real
broker; each without and with schemas.enable.  Topic, key, value and headers must be equal byte for byte, in order
(of each topic, where they come from Kafka), except

  * what differs from run to run (times, LSNs, transaction and run ids), which is masked: see golden.py;
  * the fields that ../differential/deliberate.txt names.

A plugin alone cannot replay what the settings leave to the worker (plugin.reason).  uncovered.txt lists other cases
that a leg cannot replay, and why.  They are tried nevertheless: one that passes must leave the list.
"""

import concurrent.futures
import difflib
import itertools
import sys
import threading

from differential.deliberate import Context, Rules, column_types, record_op
from goldens import plugin, worker
from goldens.golden import CASES, OWN, all_cases, by_topic, uncovered, without_repeats
from lib.broker import Broker
from lib.cluster import Cluster
from lib.support import BUILD

THREADS = 3
SHOWN = 3  # differences of a leg


class Replay:
    """A case on its way: its database, the slots and the workers that will read them."""

    def __init__(self, cluster, broker, case, number):
        self.case = case
        self.database = cluster.create_database(case.database)
        self.runs = [worker.Run(broker, self.database, "golden_%03d_%d" % (number, schemas), case, schemas,
                                number * 2 + schemas) for schemas in case.schemas]
        self.peek_slot = "golden_%03d_peek" % number
        self.types = {}
        self.failures = {plugin.LEG: [], worker.LEG: []}
        self.plugin_records = {}
        self.broken = False  # the statements failed

    def _slot(self, name):
        self.database.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder')" % name)

    def change(self):
        """Has the case's statements run."""
        case, database = self.case, self.database
        if case.setting("publication.autocreate.mode", "all_tables") == "all_tables":
            database.psql('create publication "%s" for all tables' % case.setting("publication.name", "dbz_pub"))
        if case.ddl.exists():
            database.psql_file(case.ddl)
        early = [run for run in self.runs if run.starts_first]
        for run in early:
            self.guarded(worker.LEG, run.before)
        identities = case.setting("replica.identity.autoset.values")
        for table, value in (item.split(":") for item in identities.split(",") if item):
            database.psql("alter table %s replica identity %s" % (table, value))
        self._slot(self.peek_slot)
        for run in self.runs:
            if run not in early:
                self._slot(run.slot)
        with database.connect() as connection:
            self.types = column_types(connection, "g")
        database.psql(case.dml, stop=not case.refuses_statements)

    def guarded(self, leg, action):
        """A failure is the case's, and of one leg."""
        try:
            return action()
        except Exception as error:
            self.failures[leg].append("%s: %s" % (type(error).__name__, str(error).strip()))
            return None

    def replay(self):
        """Reads what changed, by both legs; the records of the worker are in the broker then."""
        for schemas in self.case.schemas if plugin.reason(self.case) is None else ():
            self.plugin_records[schemas] = self.guarded(
                plugin.LEG, lambda: plugin.records(self.database, self.peek_slot, self.case, schemas))
        if not self.failures[worker.LEG]:
            for run in self.runs:
                self.guarded(worker.LEG, run.after)

    def compare(self, rules, found):
        """Compares both legs; found is what worker.read_broker() read."""
        for schemas, run in zip(self.case.schemas, self.runs):
            context = Context(self.case.name, plugin.LEG, self.case.settings, self.types)
            if self.plugin_records.get(schemas) is not None:
                self.failures[plugin.LEG] += compare(
                    rules, context, plugin.expected(self.case, schemas), self.plugin_records[schemas])
            context = Context(self.case.name, worker.LEG, self.case.settings, self.types)
            theirs = by_topic(self.case.expected(schemas))
            ours = by_topic(run.records(found.get(run.word, ())))
            for topic in sorted(set(theirs) | set(ours)):
                self.failures[worker.LEG] += compare(
                    rules, context, *(without_repeats(records) if self.case.paced else records
                                      for records in (theirs[topic], ours[topic])))


def aligned(theirs, ours):
    """Pairs of records that belong together; None where one side has no such record."""
    if len(theirs) == len(ours):
        return zip(theirs, ours)
    identities = [[(record.topic, record.key, record_op(record)) for record in side] for side in (theirs, ours)]
    matcher = difflib.SequenceMatcher(None, *identities, autojunk=False)
    return itertools.chain.from_iterable(
        itertools.zip_longest(theirs[a:b], ours[c:d]) for _, a, b, c, d in matcher.get_opcodes())


def compare(rules, context, theirs, ours):
    """The differences between two lists of records that no rule excuses."""
    found = []
    for a, b in aligned(theirs, ours):
        found += ["a record of %s: %s" % ((a or b).topic, d) for d in rules.unexpected(context, a, b)]
    return found


def replay_all(cluster, broker, cases):
    """Replays the cases, several side by side.  Statements run one case at a time: creating a slot waits for every
    transaction of the server."""
    statements = threading.Lock()

    def replay(number, case):
        with statements:
            one = Replay(cluster, broker, case, number)
            one.guarded(plugin.LEG, one.change)
        if one.failures[plugin.LEG]:
            one.failures[worker.LEG] += one.failures[plugin.LEG]
            one.broken = True
        else:
            one.replay()
        one.database.drop_slots()
        return one

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(replay, number, case) for number, case in enumerate(cases)]
        return [future.result() for future in waiting]


class Tally:
    """What is printed, and counted."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def line(self, case, leg, verdict, details=(), failed=False):
        self.failed += failed
        print("%-40s %-7s %s" % (case.name, leg, verdict))
        for detail in list(details)[:SHOWN]:
            print("  " + detail)
        if len(details) > SHOWN:
            print("  ... and %d more" % (len(details) - SHOWN))

    def leg(self, case, leg, failures, reason):
        cannot = plugin.reason(case) if leg == plugin.LEG else None
        if cannot is not None:
            self.skipped += 1
            self.line(case, leg, "not covered: " + cannot)
        elif reason is None or (not failures and CASES != OWN):
            self.passed += not failures
            self.line(case, leg, "FAILED" if failures else "ok", failures, failed=bool(failures))
        elif failures:
            self.skipped += 1
            self.line(case, leg, "not covered: " + reason)
        else:
            self.line(case, leg, "FAILED: passes, take it from uncovered.txt", failed=True)


def main(names):
    cases = all_cases(names)
    rules = Rules()
    reasons = uncovered()
    tally = Tally()
    cluster = Cluster(wal_sender_timeout=0, max_replication_slots=400, max_wal_senders=60).start()
    broker = Broker().start()
    replays = replay_all(cluster, broker, cases)
    found = worker.read_broker(broker)
    for one in replays:
        if not one.broken:
            one.compare(rules, found)
        for leg, failures in one.failures.items():
            tally.leg(one.case, leg, failures, reasons.get((one.case.name, leg)))
    if not names and CASES == OWN:
        for rule in rules.unused(BUILD / "deliberate", "goldens"):
            print("deliberate.txt:%d matched nothing: %s" % (rule.number, rule.line))
    print("%d passed, %d failed, %d not covered" % (tally.passed, tally.failed, tally.skipped))
    return 1 if tally.failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
