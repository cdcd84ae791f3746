"""Two workers of one slot, and the clock (the table of faults in README)."""

import pathlib
import signal
import struct

from lib.pulse import TABLES, Pulse
from lib.support import BUILD, SANITIZE, wait_for
from lib.truth import check_files

SHIM = BUILD / "faults" / "shim.so"


def twin(t, pulse, worker):
    """Another worker with the same settings: slot, prefix, warehouse."""
    config = dict(worker.config)
    return t.worker(pulse.db, outputs=config.pop("outputs"), **config)


def test_second_worker_on_a_slot(t):
    pulse = Pulse(t.database())
    first = pulse.stream(pulse.worker(t))
    pulse.beat().settle(first)
    since = len(first.log_text())
    second = twin(t, pulse, first)
    second.config.update({"slot.max.retries": 2, "slot.retry.delay.ms": 400})
    second.start()
    pulse.beat()
    second.ends(1, "replication slot \"%s\" is in use by PID" % first.config["slot.name"], "(cdc-sink from 127.0.0.1)",
                "is not disturbed", "another slot.name, topic.prefix and lake.namespace")
    pulse.beat().settle(first)
    assert "trying again" not in first.log_text()[since:], first.log_tail()
    assert first.stop() == 0, first.log_tail()
    pulse.judge(t, first)


def end_walsender(pulse, worker):
    """As wal_sender_timeout would, or an administrator."""
    pulse.db.psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where active and slot_name"
                  " = '%s'" % worker.config["slot.name"])


def replace(t, pulse, first):
    """The first is stopped, with rows in hand; a second takes the slot, stores them and more; then the first wakes."""
    pulse.beat()
    end_walsender(pulse, first)
    second = pulse.stream(twin(t, pulse, first))
    pulse.beat().settle(second)
    first.signal(signal.SIGCONT)
    pulse.beat()
    return second


def judge_successor(t, pulse, second, disturbed=False):
    pulse.beat().settle(second)
    assert disturbed or "trying again" not in second.log_text(), second.log_tail()
    assert second.stop() == 0, second.log_tail()
    pulse.judge(t, second)
    if "silver" in second.config["outputs"]:
        code, output, errors = second.command("verify")
        assert code == 0, output + errors


def replace_while_paused(t, outputs, *says, **config):
    pulse = Pulse(t.database())
    first = pulse.stream(pulse.worker(t, outputs=outputs, **config))
    pulse.beat().settle(first)
    pulse.beat()
    first.signal(signal.SIGSTOP)
    second = replace(t, pulse, first)
    first.ends(1, *says)
    judge_successor(t, pulse, second)


def test_paused_worker_is_replaced(t):
    replace_while_paused(t, "kafka,bronze,silver", "taken over")


def test_paused_worker_is_replaced_in_the_lake(t):
    replace_while_paused(t, "bronze,silver", "another worker has taken over replication slot", "Nothing is lost",
                         **{"lake.flush.interval.ms": 1000})


def test_paused_worker_is_replaced_in_kafka(t):
    replace_while_paused(t, "kafka", "taken over")


def is_stopped(worker):
    return (pathlib.Path("/proc") / str(worker.process.pid) / "stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_paused_before_what_it_makes_durable(t):
    """Stopped around a commit, it finishes that very call when it wakes: Kafka's coordinator or the file's name
    tells it that somebody was there before it."""
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t))
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    for fault in ("before:kafka commit", "after:kafka commit", "before:kafka produce", "before:link metadata",
                  "after:link metadata", "before:link checkpoint", "after:link checkpoint", "before:write data"):
        first = twin(t, pulse, worker)
        first.start(under=["env", "LD_PRELOAD=%s" % SHIM, "FAULT_STOP=1", "FAULT_AT=%s:1" % fault])
        pulse.beat()
        wait_for(lambda: not first.running or is_stopped(first), 30, "a stop " + fault)
        second = replace(t, pulse, first)
        first.ends(1, "taken over")
        print("%s: %s" % (fault, first.log_text().rpartition("cdc-sink: error: ")[2].splitlines()[0]))
        judge_successor(t, pulse, second)
    check_files(pulse.db, worker, t.lake(worker))


def test_paused_worker_wakes_behind_a_successor_that_ended(t):
    """Nobody streams any more when it wakes: what it had in hand is stored already, and it goes on from there."""
    pulse = Pulse(t.database())
    first = pulse.stream(pulse.worker(t, **{"lake.flush.interval.ms": 1000}))
    pulse.beat().settle(first)
    pulse.beat()
    first.signal(signal.SIGSTOP)
    pulse.beat()
    end_walsender(pulse, first)
    second = pulse.stream(twin(t, pulse, first))
    pulse.beat().settle(second)
    assert second.stop() == 0, second.log_tail()
    first.signal(signal.SIGCONT)
    pulse.beat()
    first.wait_log("trying again|taken over")
    until = "select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'" % (
        pulse.db.lsn(), first.config["slot.name"])
    wait_for(lambda: not first.running or pulse.db.psql(until) == "t", 90, lambda: "it to end, or to go on: " + first.log_tail())
    if first.running:
        assert first.stop() == 0, first.log_tail()
    else:
        assert first.wait() == 1, first.log_tail()
        pulse.catch_up(first)
    pulse.judge(t, first)


def timestamps(lake, table):
    return [snapshot["timestamp-ms"] for snapshot in lake.metadata(table)["snapshots"]]


def test_clock_set_back_an_hour(t):
    """While it runs and over a restart, and forward again: nothing goes by the clock, and snapshots stay in order."""
    pulse = Pulse(t.database())
    worker = pulse.worker(t)
    clock = t.dir / "clock"
    under = ["env", "LD_PRELOAD=%s" % SHIM, "FAULT_CLOCK=%s" % clock]
    clock.write_bytes(struct.pack("=q", 0))
    pulse.stream(worker, under=under)
    pulse.beat().settle(worker)
    for seconds in (-3600, -7200, 0):
        with open(clock, "r+b") as file:
            file.write(struct.pack("=q", seconds))
        pulse.beat().settle(worker)
        assert worker.stop() == 0, worker.log_tail()
        pulse.stream(worker, under=under)
        pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker)
    lake = t.lake(worker)
    for table in ["cdc_checkpoints", *(kind + name for kind in ("bronze_", "silver_") for name in TABLES)]:
        found = timestamps(lake, table)
        assert len(found) > 6 and found == sorted(set(found)), (table, found)


def test_paused_while_it_drains(t):
    """Only another request to stop ends a worker that drains before it has; being stopped and continued does not."""
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t))
    t.broker.pause()
    try:
        pulse.beat()
        worker.signal(signal.SIGTERM)
        worker.wait_log("asked to stop: draining")
        worker.signal(signal.SIGSTOP)
        state = pathlib.Path("/proc/%d/stat" % worker.process.pid)
        wait_for(lambda: state.read_text().rpartition(") ")[2].startswith("T"), what="the worker to be stopped")
        worker.signal(signal.SIGCONT)
        wait_for(lambda: not state.read_text().rpartition(") ")[2].startswith("T"), what="the worker to go on")
    finally:
        t.broker.resume()
    assert worker.wait() == 0, worker.log_tail()
    pulse.catch_up(worker)
    pulse.judge(t, worker)


test_second_worker_on_a_slot.quick = True
test_paused_while_it_drains.quick = True
test_paused_worker_is_replaced.quick = True
if SANITIZE == "thread":
    test_clock_set_back_an_hour.unsanitized = "ThreadSanitizer calls the C library's waits past what is preloaded to shift the clock"
