"""Files that no snapshot has are removed after a start, and nothing else is: not what any snapshot refers to, not what
others have put there."""

import json
import os
import re
import shutil
import time
import urllib.request
import uuid

from lib.parts import make_table, under
from lib.support import BUILD, free_port, wait_for
from lib.truth import check_files

SHIM = BUILD / "faults" / "shim.so"

TABLE = "create table t (id int primary key, v text); insert into t select n, 'row' from generate_series(1, 50) n"


class Subject:
    """A worker at rest, with some cuts of a table that was changed, and its lake."""

    def __init__(self, t, **config):
        self.db = t.database()
        self.db.psql(TABLE)
        self.worker = t.worker(self.db, outputs="bronze,silver", **dict(
            {"log.level": "debug", "lake.flush.interval.ms": 10, "status.update.interval.ms": 100}, **config))
        self.turn = 0
        self.cuts(*[self.change] * 4)
        self.lake = t.lake(self.worker)
        assert not self.lake.orphans(), self.lake.orphans()

    def cuts(self, *changes):
        """A cut for each."""
        self.worker.start()
        self.worker.wait_log("streaming from slot", 60, since=self.worker.begun)
        for change in changes:
            change()
            self.db.wait_confirmed(self.worker.config["slot.name"], self.db.lsn(), 60)
        assert self.worker.stop() == 0, self.worker.log_tail()

    def change(self):
        self.turn += 1
        self.db.psql("update t set v = 'turn %d' where id %% 5 = 1; delete from t where id = %d;"
                     " insert into t select 1000 * %d + n, 'new' from generate_series(1, 9) n"
                     % (self.turn, self.turn, self.turn))

    def restart(self):
        """The worker runs to the source's end, and until it has looked through all tables; what it has logged."""
        since = len(self.worker.log_text())
        self.cuts(self.change, lambda: self.worker.wait_log("looked through the tables", 60, since=since))
        return "\n".join(line for line in self.worker.log_text()[since:].splitlines() if " DEBUG " not in line)

    def is_right(self):
        """By two readers; and every file that is referred to is there."""
        for reader in ("pyiceberg", "duckdb"):
            assert self.lake.compare(self.db, "public.t", reader=reader) == []
        for table in self.lake.tables():
            missing = self.lake.referenced(table) - self.lake.stored(table)
            assert not missing, "%s misses %s" % (table, missing)


def version_of(lake, table):
    return int(re.search(r"v(\d+)\.", lake.metadata_file(table).name).group(1))


def copies(subject, table, names):
    """Copies of a file of the table under other names."""
    directory = subject.lake.dir / table
    source = next((directory / "data").rglob("*.parquet"))
    made = []
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
        made.append(path)
    return made


def ours():
    """What a kill leaves of a commit: data and delete files, manifests, their list, and temporary files."""
    commit = str(uuid.uuid4())
    return ["data/cdc-%s-1.parquet" % commit, "data/cdc-%s-12.parquet" % commit,
            "data/source_ts_day=2020-01-01/cdc-%s-3.parquet" % commit, "metadata/cdc-%s-m0.avro" % commit,
            "metadata/snap-4711-1-cdc-%s.avro" % commit, "metadata/.tmp-17-123456-0"]


def others():
    """Names that other writers give, and some that are nobody's."""
    commit = str(uuid.uuid4())
    return ["data/00000-0-%s-0-00001.parquet" % commit, "data/%s.parquet" % commit, "data/cdc-notes.parquet",
            "data/cdc-%s-1.parquet.bak" % commit, "data/cdc-%s-1.orc" % commit, "metadata/%s-m0.avro" % commit,
            "metadata/snap-4711-1-%s.avro" % commit, "metadata/%s.stats" % commit, "metadata/.tmp-of-mine",
            "other/cdc-%s-1.parquet" % commit]


def test_only_what_is_ours_and_no_snapshot_has_is_removed(t):
    subject = Subject(t)
    kept, removed = [], []
    for table in subject.lake.tables():
        kept += copies(subject, table, others())
        removed += copies(subject, table, ours())
    versions = {table: version_of(subject.lake, table) for table in subject.lake.tables()}
    size = sum(path.stat().st_size for path in removed)
    log = subject.restart()
    assert [path for path in removed if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert "removed %d files of %d bytes that no snapshot has" % (len(removed), size) in log, log
    subject.is_right()
    # the commit that makes it safe, and the cut's
    for table, version in versions.items():
        assert version_of(subject.lake, table) >= version + 2, table
    log = subject.restart()
    assert "that no snapshot has" not in log, log
    assert sorted(map(str, kept)) == subject.lake.orphans()


def test_what_was_removed_is_counted(t):
    subject = Subject(t, **{"status.port": free_port()})
    removed = copies(subject, "silver_t", ours()) + copies(subject, "cdc_checkpoints", ours())
    subject.worker.start()
    subject.worker.wait_log("streaming from slot", 60, since=subject.worker.begun)
    subject.change()

    def counted():
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % subject.worker.config["status.port"]) as answer:
            return float(re.search(r"^cdc_sink_lake_orphans_total (\S+)$", answer.read().decode(), re.M).group(1))

    wait_for(lambda: counted() == len(removed), 60, lambda: "%d files counted, not %d" % (counted(), len(removed)))
    assert subject.worker.stop() == 0, subject.worker.log_tail()


def test_young_files_stay_where_an_age_is_set(t):
    subject = Subject(t, **{"lake.orphans.age.ms": "1h"})
    young = copies(subject, "silver_t", ours())
    old = copies(subject, "silver_t", ours()[:-1])
    for path in old:
        os.utime(path, (time.time() - 3700, time.time() - 3700))
    subject.restart()
    assert sorted(map(str, young)) == subject.lake.orphans()
    subject.is_right()
    subject.worker.config["lake.orphans.age.ms"] = "0"
    subject.restart()
    assert not subject.lake.orphans()


def write_metadata(lake, table, change):
    """Another writer's commit of metadata alone."""
    current = lake.metadata_file(table)
    metadata = json.loads(current.read_text(encoding="utf-8"))
    change(metadata)
    metadata["metadata-log"].append({"timestamp-ms": metadata["last-updated-ms"], "metadata-file": "file://%s" % current})
    (current.parent / ("v%d.metadata.json" % (version_of(lake, table) + 1))).write_text(
        json.dumps(metadata), encoding="utf-8")


def test_what_a_tag_or_older_metadata_refer_to_stays(t):
    """A snapshot that only a tag has, and one that only a metadata file of before has: files that are old, and of
    commits that the current history does not know."""
    subject = Subject(t)
    lake = subject.lake
    table = lake.iceberg("silver_t")
    first, second = (table.snapshots()[n] for n in (1, 2))
    files = {snapshot.snapshot_id: {entry.data_file.file_path.removeprefix("file://")
                                    for manifest in snapshot.manifests(table.io)
                                    for entry in manifest.fetch_manifest_entry(table.io)}
             for snapshot in (first, second)}
    gone = [snapshot.snapshot_id for snapshot in table.snapshots()[:3]]
    mentioned = {path for snapshot in table.snapshots()[:3] for path in
                 [snapshot.manifest_list, *(manifest.manifest_path for manifest in snapshot.manifests(table.io))]}

    def expire_but_tagged(metadata):
        metadata["refs"]["keep"] = {"snapshot-id": first.snapshot_id, "type": "tag"}
        metadata["snapshots"] = [snapshot for snapshot in metadata["snapshots"]
                                 if snapshot["snapshot-id"] not in gone or snapshot["snapshot-id"] == first.snapshot_id]
        metadata["snapshot-log"] = [entry for entry in metadata["snapshot-log"] if entry["snapshot-id"] not in gone]

    write_metadata(lake, "silver_t", expire_but_tagged)
    orphans = copies(subject, "silver_t", ours())
    subject.restart()
    assert not [path for path in orphans if path.exists()]
    for path in [*files[first.snapshot_id], *files[second.snapshot_id], *mentioned]:
        assert os.path.exists(path.removeprefix("file://")), path
    subject.is_right()
    assert lake.arrow("silver_t", first.snapshot_id).num_rows > 0


def entries_of(table, snapshot):
    """{file: the snapshot that added it} of a snapshot's live files."""
    return {entry.data_file.file_path: entry.snapshot_id for manifest in snapshot.manifests(table.io)
            for entry in manifest.fetch_manifest_entry(table.io)}


def test_what_expired_snapshots_have_left_stays(t):
    """Files that an expired snapshot added and the current one has not, but the oldest one: with no metadata file of
    before to tell of them."""
    subject = Subject(t)
    lake = subject.lake
    # the second replaces the delete file of the first, and the insert lies between
    subject.cuts(*[lambda sql=sql: subject.db.psql(sql) for sql in (
        "delete from t where id = 30", "insert into t values (-1, 'x')", "delete from t where id = 33")])
    table = lake.iceberg("silver_t")
    snapshots = table.snapshots()
    current = entries_of(table, snapshots[-1])
    for oldest in range(1, len(snapshots)):
        expired = [snapshot.snapshot_id for snapshot in snapshots[:oldest]]
        left = [path for path, adder in entries_of(table, snapshots[oldest]).items()
                if adder in expired and path not in current]
        if left:
            break
    assert left, "no snapshot to expire makes a case"

    def expire(metadata):
        metadata["snapshots"] = [snapshot for snapshot in metadata["snapshots"] if snapshot["snapshot-id"] not in expired]
        metadata["snapshot-log"] = [entry for entry in metadata["snapshot-log"] if entry["snapshot-id"] not in expired]
        metadata["metadata-log"] = []

    before = set((lake.metadata_file("silver_t").parent).glob("v*.json"))
    write_metadata(lake, "silver_t", expire)
    for path in before:
        path.unlink()
    write_metadata(lake, "silver_t", lambda metadata: metadata.update({"metadata-log": []}))
    orphans = copies(subject, "silver_t", ours())
    subject.restart()
    assert not [path for path in orphans if path.exists()]
    for path in left:
        assert os.path.exists(path.removeprefix("file://")), path
    subject.is_right()


def test_nothing_is_removed_where_a_snapshot_cannot_be_read(t):
    """A manifest of an older snapshot is damaged: the table is left alone, the others are not."""
    subject = Subject(t)
    orphans = {table: copies(subject, table, ours()) for table in ("silver_t", "bronze_t")}
    oldest = subject.lake.iceberg("silver_t").snapshots()[0].manifest_list.removeprefix("file://")
    with open(oldest, "rb") as file:
        whole = file.read()
    with open(oldest, "wb") as file:
        file.write(whole[:len(whole) // 2])
    log = subject.restart()
    assert all(path.exists() for path in orphans["silver_t"]), log
    assert not any(path.exists() for path in orphans["bronze_t"]), log
    assert re.search("could not remove files of table \"silver_t\".*%s" % os.path.basename(oldest), log), log
    with open(oldest, "wb") as file:
        file.write(whole)
    subject.restart()
    assert not subject.lake.orphans()
    subject.is_right()


def test_killed_in_the_middle_of_a_large_transaction(t):
    """What was spilled of it goes before the transaction is read again to its end."""
    subject = Subject(t, **{"lake.flush.bytes": "1MB", "max.memory": "16MB"})
    worker = subject.worker
    subject.db.psql("insert into t select n, repeat(md5(n::text), 10) from generate_series(1000000, 1040000) n")
    worker.start(under=["env", "LD_PRELOAD=%s" % SHIM, "FAULT_AT=before:create data:12"])
    assert worker.wait(60) == -9, worker.log_tail()
    left = subject.lake.orphans()
    assert len(left) > 5, left
    worker.start(under=["env", "LD_PRELOAD=%s" % SHIM, "FAULT_STOP=1", "FAULT_AT=before:create data:12"])
    wait_for(lambda: not any(map(os.path.exists, left)), 60, "orphans to go")
    worker.kill()
    worker.wait()
    subject.restart()
    check_files(subject.db, worker, subject.lake)
    assert not subject.lake.orphans()
    subject.is_right()


test_only_what_is_ours_and_no_snapshot_has_is_removed.seconds = 6


def test_killed_before_a_table_had_rows(t):
    """Its first snapshot is then one without any file."""
    db = t.database()
    make_table(db, "big")
    worker = t.worker(db, outputs="bronze,silver", **{"lake.flush.interval.ms": 100, "log.level": "debug"})
    worker.start(under=under(FAULT_AT="before:create manifest:1"))
    assert worker.wait() == -9, worker.log_tail()
    worker.start()
    worker.wait_log("goes on from .*, 0 tables are left", 60, since=worker.begun)
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    wait_for(lambda: not t.lake(worker).orphans(), 60, lambda: worker.log_tail())
    assert worker.stop() == 0, worker.log_tail()
    assert "could not remove" not in worker.log_text(), worker.log_tail()
