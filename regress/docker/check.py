"""make check-docker: the images and the compose file, as a user runs them, and worse.

Run by regress/tools/check-docker.sh with a Docker daemon and a network of its own, with the images built; the
first argument is the clean copy of the tree they were built from, others are the steps to take.  The steps build on
each other: the first that fails ends the run.

    CHANGES=60000 KILLS=8 SEED=1 make check-docker TESTS="kills stop"
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import types

from confluent_kafka.admin import AdminClient

from integration.test_crash import check_bronze, check_kafka
from lib.cluster import Database, SqlError
from lib.lake import Lake
from lib.support import TOP, at_end, pg_bindir, scratch, wait_for
from lib.truth import TABLES

CHANGES = int(os.environ.get("CHANGES", "60000"))
KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("SEED", "42"))

TREE = pathlib.Path(sys.argv[1]).resolve()
COMPOSE = TOP / "regress" / "docker" / "compose.sh"
IMAGE_LIMIT = 120_000_000
STOP_LIMIT = 10
SMALL_ROWS = 1_000_000
SMALL_MEMORY = 256 << 20
WORKER_USER = 10001
SHOP = ("users", "products", "orders")

# Beside docker/compose.yaml: what the test needs to see everything, by the ways a user has for it.  The worker is
# configured by a mounted file and the environment; messages that the test writes are not to go into topics.
OVERRIDE = """\
services:
  postgres:
    volumes: ["{top}/regress/lib/workload.sql:/docker-entrypoint-initdb.d/workload.sql:ro"]
  cdc-sink:
    command: [run, -c, /etc/cdc-sink.properties]
    volumes: ["{dir}/cdc-sink.properties:/etc/cdc-sink.properties:ro"]
"""

PROPERTIES = """\
lake.flush.interval.ms=1s
message.prefix.exclude.list=test
"""


def run(*command, check=True, **options):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)
    if check and done.returncode != 0:
        raise AssertionError("%s: exit code %d\n%s%s" % (" ".join(map(str, command)), done.returncode, done.stdout,
                                                         done.stderr))
    return done


def docker(*arguments):
    return run("docker", *arguments).stdout.strip()


class Container:
    """One container, by its id or name."""

    def __init__(self, name):
        self.id = docker("inspect", "-f", "{{.Id}}", name)

    def inspect(self, template):
        return docker("inspect", "-f", template, self.id)

    @property
    def pid(self):
        """Of its first process, as this namespace sees it; 0 when it does not run."""
        return int(self.inspect("{{.State.Pid}}"))

    @property
    def health(self):
        return self.inspect("{{if .State.Health}}{{.State.Health.Status}}{{end}}")

    def process(self, name):
        """A line of /proc/PID/status."""
        with open("/proc/%d/status" % self.pid, encoding="ascii") as file:
            return re.search(r"^%s:\s*(.*)$" % name, file.read(), re.M).group(1)

    def peak_memory(self):
        return int(self.process("VmHWM").split()[0]) * 1024

    def log(self):
        done = run("docker", "logs", "-t", self.id)
        return done.stdout + done.stderr

    def count(self, pattern):
        return len(re.findall(pattern, self.log()))

    def wait_log(self, pattern, timeout=60, more_than=0):
        wait_for(lambda: self.count(pattern) > more_than, timeout,
                 lambda: "\"%s\" in the log:\n%s" % (pattern, "\n".join(self.log().splitlines()[-20:])), 0.2)

    def wait_health(self, status, timeout=90):
        begun = time.monotonic()
        wait_for(lambda: self.health == status, timeout, lambda: "%s to be %s:\n%s" % (
            self.inspect("{{.Name}}"), status, "\n".join(self.log().splitlines()[-20:])), 0.2)
        return time.monotonic() - begun

    def kill_inside(self):
        """What Docker was not asked for, so that the restart policy brings the container back."""
        before = self.pid
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: self.pid not in (0, before), 60, "%s to be started again" % self.inspect("{{.Name}}"), 0.1)

    def exec(self, *command, check=True):
        return run("docker", "exec", self.id, *command, check=check)


class Broker:
    """The broker of the compose file, for lib.consumer."""

    bootstrap = "127.0.0.1:29092"

    def topics(self, internal=False):
        found = AdminClient({"bootstrap.servers": self.bootstrap}).list_topics(timeout=20).topics
        return {name: len(topic.partitions) for name, topic in found.items()
                if internal or not name.startswith("__")}


def wait_serves(db):
    wait_for(lambda: db.psql("select 1", stop=False) == "1", 60, "the server to accept connections")


class Stack:
    """The services of docker/compose.yaml."""

    def __init__(self):
        self.dir = scratch("docker")
        self.lake_dir = self.dir / "lake"
        self.lake_dir.mkdir()
        os.chown(self.lake_dir, WORKER_USER, WORKER_USER)
        self.override = self.dir / "override.yaml"
        self.override.write_text(OVERRIDE.format(top=TREE, dir=self.dir), encoding="utf-8")
        (self.dir / "cdc-sink.properties").write_text(PROPERTIES, encoding="utf-8")
        self.db = Database(types.SimpleNamespace(bindir=pg_bindir(), port=5432), "shop")
        self.broker = Broker()
        self.lake = Lake(self.lake_dir)
        self.worker = self.postgres = self.kafka = None
        self.peak = 0
        at_end(lambda: self.compose("down", "-v", "-t", "1"))

    def compose(self, *arguments):
        return run(COMPOSE, "-f", TREE / "docker" / "compose.yaml", "-f", self.override, *arguments,
                   env=dict(os.environ, LAKE=str(self.lake_dir)))

    def up(self):
        self.compose("up", "-d")
        self.postgres, self.kafka, self.worker = (
            Container(self.compose("ps", "-q", service).stdout.strip())
            for service in ("postgres", "kafka", "cdc-sink"))

    def note_memory(self):
        try:
            self.peak = max(self.peak, self.worker.peak_memory())
        except (OSError, AttributeError):
            pass  # it has just been killed

    def caught_up(self, timeout=300):
        """An LSN up to which every output has stored everything."""
        wait_serves(self.db)
        until = self.db.lsn()
        self.db.wait_confirmed("cdc_sink", until, timeout)
        return until

    def compare(self):
        """Kafka, bronze and silver with the source: by foreign readers, and by verify in the container."""
        until = self.caught_up()
        records = check_kafka(self.db, self.broker, "cdc", until)
        changes = check_bronze(self.db, self.lake, until)
        for table in [*TABLES, *SHOP]:
            for reader in ("pyiceberg", "duckdb"):
                differences = self.lake.compare(self.db, "public.%s" % table, reader=reader)
                assert not differences, "\n".join(differences)
        verified = self.worker.exec("/usr/bin/cdc-sink", "verify", "-c", "/etc/cdc-sink.properties").stdout
        assert re.search(r"^ok: (\d+) of \1 tables equal", verified, re.M), verified
        return "%d records in Kafka, %d row changes in bronze" % (records, changes)


def check_images(_stack):
    """Sizes, and what is not in the worker's image."""
    sizes = {name: int(docker("image", "inspect", "-f", "{{.Size}}", name)) for name in ("cdc-sink", "cdc-postgres")}
    assert sizes["cdc-sink"] <= IMAGE_LIMIT, "the worker's image has %d bytes" % sizes["cdc-sink"]
    shell = run("docker", "run", "--rm", "--entrypoint", "/bin/sh", "cdc-sink", "-c", "true", check=False)
    assert shell.returncode == 127 and "no such file" in shell.stderr, shell
    user = docker("image", "inspect", "-f", "{{.Config.User}}", "cdc-sink")
    assert user == "%d:%d" % (WORKER_USER, WORKER_USER), user
    base = int(docker("image", "inspect", "-f", "{{.Size}}", "postgres:17"))
    return "cdc-sink %.1f MB, cdc-postgres its base and %.1f MB" % (
        sizes["cdc-sink"] / 1e6, (sizes["cdc-postgres"] - base) / 1e6)


def seconds_between(first, second):
    def at(text):
        moment, fraction = re.match(r"([^.]*)(\.\d+)?Z$", text).groups()
        return time.mktime(time.strptime(moment, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0)
    return at(second) - at(first)


def check_up(stack):
    """docker compose up: all healthy, streaming, and the worker without rights."""
    begun = time.monotonic()
    stack.up()
    stack.worker.wait_log("streaming from slot", 120)
    streaming = next(line for line in stack.worker.log().splitlines() if "streaming from slot" in line).split()[0]
    took = time.monotonic() - begun
    for container in (stack.postgres, stack.kafka, stack.worker):
        container.wait_health("healthy")
    stack.db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")
    assert stack.worker.process("Uid").split() == [str(WORKER_USER)] * 4
    assert int(stack.worker.process("CapBnd"), 16) == int(stack.worker.process("CapEff"), 16) == 0
    assert stack.worker.process("NoNewPrivs") == "1"
    assert stack.worker.inspect("{{.HostConfig.ReadonlyRootfs}}") == "true"
    status = stack.worker.exec("/usr/bin/cdc-sink", "status", "-c", "/etc/cdc-sink.properties").stdout
    return "all healthy; up to streaming in %.0f s, the worker alone in %.1f s\n%s" % (
        took, seconds_between(stack.worker.inspect("{{.State.StartedAt}}"), streaming), status)


def write(db, changes, seed):
    """The seeded workload in pieces; one that the server's end breaks off is not repeated."""
    piece = max(changes // 30, 500)
    for number in range(changes // piece):
        try:
            db.psql("call workload_run(%d, %d)" % (piece, seed + number))
        except SqlError:
            wait_serves(db)


def start_again(stack):
    docker("kill", stack.worker.id)
    docker("start", stack.worker.id)


def check_kills(stack):
    """The sample workload and the seeded one, while everything is killed."""
    random.seed(SEED)
    stack.db.psql_file(TREE / "sql" / "workload.sql")
    source = threading.Thread(target=write, args=(stack.db, CHANGES, SEED))
    source.start()
    kinds = {
        "docker kill cdc-sink": lambda: start_again(stack),
        "kill -9 cdc-sink": stack.worker.kill_inside,
        "kill -9 postgres": stack.postgres.kill_inside,
        "docker kill cdc-sink again": lambda: start_again(stack),
        "kill -9 kafka": stack.kafka.kill_inside,
    }
    pause = threading.Event()
    killed_writing = 0
    for number in range(KILLS):
        pause.wait(random.uniform(0.3, 3))
        stack.note_memory()
        killed_writing += source.is_alive()
        kind = list(kinds)[number % len(kinds)]
        streams = stack.worker.count("streaming from slot")
        kinds[kind]()
        if number % 2:
            stack.worker.wait_log("streaming from slot", 120, more_than=streams)
    source.join()
    compared = stack.compare()
    stack.note_memory()
    assert killed_writing, "the workload was over before anything was killed"
    return "%d kills, %d while it was written; %s; the worker's peak memory %.0f MB" % (
        KILLS, killed_writing, compared, stack.peak / 1e6)


def check_health(stack):
    """A stopped broker makes the worker unhealthy, and nothing is lost."""
    docker("stop", stack.kafka.id)
    stack.db.psql("call workload_run(500, 1)")
    ill = stack.worker.wait_health("unhealthy", 180)
    code = stack.worker.exec("/usr/bin/cdc-sink", "status", "--worker", check=False).returncode
    assert code == 1, "status --worker: exit code %d" % code
    docker("start", stack.kafka.id)
    well = stack.worker.wait_health("healthy", 180)
    return "unhealthy %.0f s after the broker was stopped, healthy %.0f s after its start; %s" % (
        ill, well, stack.compare())


def stop_worker(stack):
    begun = time.monotonic()
    docker("stop", stack.worker.id)
    took = time.monotonic() - begun
    code = stack.worker.inspect("{{.State.ExitCode}}")
    assert code == "0", "exit code %s:\n%s" % (code, stack.worker.log()[-3000:])
    assert took < STOP_LIMIT, "docker stop took %.1f s" % took
    return took


def check_stop(stack):
    """docker stop, idle and in mid-stream."""
    stack.caught_up()
    idle = stop_worker(stack)
    docker("start", stack.worker.id)
    stack.worker.wait_health("healthy")
    confirmed = "select confirmed_flush_lsn from pg_replication_slots where slot_name = 'cdc_sink'"
    before = stack.db.psql(confirmed)
    source = threading.Thread(target=write, args=(stack.db, CHANGES // 2, SEED + 100))
    source.start()
    wait_for(lambda: stack.db.psql(confirmed) != before, 60, "the worker to stream")
    busy = stop_worker(stack)
    assert source.is_alive(), "the workload was over before the worker was stopped"
    source.join()
    docker("start", stack.worker.id)
    return "%.1f s idle, %.1f s in mid-stream, exit code 0; %s" % (idle, busy, stack.compare())


def check_small(stack):
    """The worker's image alone beside a database that exists, in a container with little of everything."""
    lake_dir = stack.dir / "small"
    lake_dir.mkdir()
    os.chown(lake_dir, WORKER_USER, WORKER_USER)
    properties = stack.dir / "small.properties"
    properties.write_text("""\
database.hostname=postgres
database.dbname=small
database.user=cdc
slot.name=small
topic.prefix=small
outputs=kafka,bronze,silver
kafka.bootstrap.servers=kafka:9092
lake.warehouse=file://%s
message.prefix.exclude.list=test
""" % lake_dir, encoding="utf-8")
    stack.db.psql("create database small")
    db = Database(stack.db.cluster, "small")
    db.psql("create table big (id int primary key, name text, amount numeric(12, 2), at timestamptz)")
    common = ["--network", stack.worker.inspect("{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}"),
              "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
              "-e", "CDC_SINK_DATABASE_PASSWORD_FILE=/run/secrets/password",
              "-v", "%s:/run/secrets/password:ro" % (TREE / "docker" / "example-password"),
              "-v", "%s:/etc/cdc-sink.properties:ro" % properties, "-v", "%s:%s" % (lake_dir, lake_dir)]
    docker("run", "-d", "--name", "small", *common, "--memory", SMALL_MEMORY, "--memory-swap", SMALL_MEMORY,
           "--pids-limit", "64", "--ulimit", "nofile=64:64", "cdc-sink", "run", "-c", "/etc/cdc-sink.properties")
    small = Container("small")
    at_end(lambda: docker("rm", "-f", "-v", small.id))
    small.wait_log("streaming from slot")
    db.psql("insert into big select i, 'row ' || i, i / 100.0, now() from generate_series(1, %d) as i" % SMALL_ROWS)
    db.psql("update big set amount = amount + 1 where id % 10 = 0")
    begun = time.monotonic()
    until = db.lsn()
    wait_for(lambda: db.psql("select confirmed_flush_lsn >= '%s' from pg_replication_slots"
                             " where slot_name = 'small'" % until) == "t" or small.pid == 0, 300,
             lambda: "one large transaction:\n" + small.log()[-2000:])
    took = time.monotonic() - begun
    state = json.loads(small.inspect("{{json .State}}"))
    assert state["Running"] and not state["OOMKilled"], "%s\n%s" % (state, small.log()[-2000:])
    assert small.inspect("{{.RestartCount}}") == "0"
    peak = small.peak_memory()
    sums = "count(*), sum(id), sum(amount), count(distinct name)"
    lake = Lake(lake_dir)
    found = lake.sql("select %s from %s" % (sums, lake.scan("silver_big"))).fetchone()
    expected = db.psql("select %s from big" % sums)
    assert "|".join(map(str, found)) == expected, (found, expected)
    verified = docker("run", "--rm", *common, "cdc-sink", "verify", "-c", "/etc/cdc-sink.properties")
    assert "ok: 1 of 1 tables equal" in verified, verified
    return "%d rows in one transaction in %.0f s, peak memory %.0f of %.0f MB, %d threads" % (
        SMALL_ROWS, took, peak / 1e6, SMALL_MEMORY / 1e6, int(small.process("Threads")))


def check_down(stack):
    """All of it stops in time."""
    begun = time.monotonic()
    stack.compose("stop")
    took = time.monotonic() - begun
    codes = {name: getattr(stack, name).inspect("{{.State.ExitCode}}") for name in ("worker", "postgres", "kafka")}
    assert codes["worker"] == codes["postgres"] == "0", codes
    return "docker compose stop took %.1f s" % took


def main():
    os.environ["PGPASSWORD"] = (TREE / "docker" / "example-password").read_text(encoding="utf-8").strip()
    stack = Stack()
    passed = 0
    steps = [step for step in (check_images, check_up, check_kills, check_health, check_stop, check_small, check_down)
             if step is check_up or not sys.argv[2:] or step.__name__.removeprefix("check_") in sys.argv[2:]]
    for step in steps:
        begun = time.monotonic()
        name = step.__name__.removeprefix("check_")
        try:
            told = step(stack)
        except Exception as error:
            print("not ok - %s: %s: %s" % (name, type(error).__name__, error))
            break
        passed += 1
        print("ok - %s (%.0f s): %s" % (name, time.monotonic() - begun, told.rstrip().replace("\n", "\n     ")),
              flush=True)
    print("%d passed, %d failed" % (passed, len(steps) - passed))
    return passed != len(steps)


if __name__ == "__main__":
    sys.exit(main())
