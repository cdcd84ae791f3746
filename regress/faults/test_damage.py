"""Files of the lake that are gone or not what they were: exit code 2, the file named, nothing touched; put back,
the worker goes on and nothing is lost or twice."""

import os
import random
import re

import duckdb

from lib.damage import DAMAGES, damaged, directory_of, files, fingerprint, overwrite
from lib.truth import Judge

SEED = int(os.environ.get("SEED", "1"))
FLIPS = int(os.environ.get("FLIPS", "60"))

TABLE = "create table t (id int primary key, v text, n numeric(12, 2)); create table other (id int primary key, v text)"


class Subject:
    """A worker at rest whose tables have several data files, deletes and cuts."""

    def __init__(self, t, outputs="bronze,silver", rows=2000):
        self.t = t
        self.db = t.database()
        self.db.psql(TABLE + "; insert into t select n, md5(n::text), n from generate_series(1, %d) n;"
                     " insert into other values (1, 'x')" % rows)
        self.worker = t.worker(self.db, outputs=outputs, **{"errors.max.retries": 1})
        self.worker.start()
        self.worker.wait_log("streaming from slot", 60)
        assert self.worker.stop() == 0, self.worker.log_tail()
        self.lake = t.lake(self.worker)
        self.judge = Judge(t, self.db, self.worker, tables=["t", "other"])
        self.turn = 0
        for _ in range(3):
            self.go_on()

    def write(self):
        """A little of everything; returns an LSN behind it."""
        self.turn += 1
        self.db.psql("insert into t select %d * 10000 + n, 'new', n from generate_series(1, 20) n;"
                     " update t set v = 'turn %d' where id %% 97 = %d; delete from t where id %% 89 = %d;"
                     " insert into other values (%d, 'y')"
                     % (self.turn, self.turn, self.turn % 97, self.turn % 89, self.turn + 1))
        return self.db.lsn()

    def go_on(self, thorough=False):
        """The worker comes to the source's end, and all outputs are right."""
        until = self.write()
        self.worker.run_until(until, timeout=60)
        self.judge.look(until, thorough)

    def readers_agree_or_refuse(self):
        """False when a reader shows other values than the source's; that it cannot read is seen."""
        try:
            return not self.lake.compare(self.db, "public.t", reader="duckdb")
        except duckdb.Error:
            return True

    def refused(self, *parts, code=2):
        """It ends by itself, says why in one sentence that has all parts and what to do, and touches nothing."""
        before = fingerprint(self.lake.dir)
        confirmed = self.db.psql("select confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'"
                                 % self.worker.config["slot.name"])
        ended, _, errors = self.worker.command("run", timeout=60)
        assert ended == code, "exit code %s, not %s:\n%s" % (ended, code, errors)
        said = re.findall(r"^cdc-sink: error: (.*)$", errors, re.M)
        assert len(said) == 1 and "cdc-sink: hint: " in errors, errors
        for part in parts:
            assert part in errors, "no \"%s\" in:\n%s" % (part, errors)
        after = fingerprint(self.lake.dir)
        assert after == before, "touched: %s" % sorted(set(after.items()) ^ set(before.items()))
        assert confirmed == self.db.psql("select confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'"
                                         % self.worker.config["slot.name"])
        return said[0]


def test_each_file_damaged_in_each_way(t):
    subject = Subject(t)
    cases = [("silver_t", "metadata"), ("silver_t", "manifest list"), ("silver_t", "data manifest"),
             ("silver_t", "delete manifest"), ("silver_t", "data file"), ("silver_t", "delete file"),
             ("bronze_t", "metadata"), ("bronze_t", "manifest list"), ("bronze_t", "data manifest"),
             ("bronze_t", "data file"), ("cdc_checkpoints", "metadata"), ("cdc_checkpoints", "manifest list"),
             ("cdc_checkpoints", "data manifest"), ("cdc_checkpoints", "data file")]
    count = 0
    for table, what in cases:
        path = files(subject.lake, table)[what]
        subject.write()
        for how in DAMAGES:
            if how == "garbled" and (table, what) == ("bronze_t", "data file"):
                continue  # the worker never reads it: its size is right
            with damaged(path, how):
                said = subject.refused(os.path.basename(path))
                count += 1
                assert len(said) < 500, said
        subject.go_on(thorough=True)
    print("%d damages refused" % count)


def test_version_hint_heals_but_does_not_hide(t):
    """It may be gone, empty or behind; one that is ahead tells of metadata that have gone."""
    subject = Subject(t)
    path = files(subject.lake, "silver_t")["version hint"]
    for content in (b"", b"garbage", b"1", b"0", b"-5"):
        overwrite(path, content)
        subject.go_on()
    os.unlink(path)
    subject.go_on()
    with damaged(path, lambda _data: b"4711"):
        subject.refused("v4711.metadata.json", "version-hint.text")
    subject.go_on(thorough=True)


def test_metadata_of_another_table_version_or_format(t):
    subject = Subject(t)
    silver = files(subject.lake, "silver_t")["metadata"]
    version = int(re.search(r"v(\d+)\.metadata", silver).group(1))
    with open(files(subject.lake, "bronze_t")["metadata"], "rb") as file:
        bronze = file.read()
    with open(silver.replace("v%d." % version, "v%d." % (version - 1)), "rb") as file:
        earlier = file.read()
    for table in ("silver_t", "cdc_checkpoints"):
        path = files(subject.lake, table)["metadata"]
        with damaged(path, lambda _data: bronze):
            subject.refused(os.path.basename(path), "bronze_t")
    with damaged(silver, lambda _data: earlier):
        subject.refused("silver_t", "rolled back")
    with damaged(silver, lambda data: data.replace(b'"format-version": 2', b'"format-version": 3')
                 .replace(b'"format-version":2', b'"format-version":3')):
        subject.refused(os.path.basename(silver), "format version 3")
    with damaged(silver, lambda data: data.replace(b'"operation"', b'"operatign"', 1)):
        subject.refused(os.path.basename(silver), "operation")
    subject.go_on(thorough=True)


def test_directories_that_have_gone(t):
    subject = Subject(t)
    for table in ("silver_t", "bronze_t", "cdc_checkpoints"):
        path = directory_of(subject.lake, table)
        aside = path.with_name("aside")
        subject.write()
        path.rename(t.dir / "aside")
        subject.refused("slot" if table == "cdc_checkpoints" else table)
        assert not path.exists() and not aside.exists()
        (t.dir / "aside").rename(path)
        subject.go_on()
    warehouse = subject.lake.dir.parent
    warehouse.rename(t.dir / "aside")
    ended, _, errors = subject.worker.command("run")
    assert ended == 2 and "no output holds a position" in errors, (ended, errors)
    assert not warehouse.exists() or not list(warehouse.rglob("*.*")), list(warehouse.rglob("*"))
    (t.dir / "aside").rename(warehouse)
    subject.go_on(thorough=True)


def test_moved_lake(t):
    """Its files name each other by full paths."""
    subject = Subject(t)
    was = subject.worker.config["lake.warehouse"]
    subject.lake.dir.parent.rename(t.dir / "elsewhere")
    subject.worker.config["lake.warehouse"] = "file://%s" % (t.dir / "elsewhere")
    ended, _, errors = subject.worker.command("run")
    assert ended == 2 and "full paths" in errors and was in errors, (ended, errors)
    (t.dir / "elsewhere").rename(subject.lake.dir.parent)
    subject.worker.config["lake.warehouse"] = was
    subject.go_on(thorough=True)


def test_files_that_go_in_mid_run(t):
    """A cut meets metadata that have gone; a table's directory goes."""
    subject = Subject(t)
    worker = subject.worker
    for table in ("silver_t", "cdc_checkpoints"):
        path = files(subject.lake, table)["metadata"]
        since = len(worker.log_text())
        worker.start()
        worker.wait_log("streaming from slot", 30, since=since)
        with damaged(path, "missing"):
            subject.write()
            assert worker.wait(60) == 2, worker.log_tail()
            assert os.path.basename(path) in worker.log_text()[since:], worker.log_tail()
        subject.go_on()
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("streaming from slot", 30, since=since)
    path = directory_of(subject.lake, "silver_t")
    path.rename(t.dir / "aside")
    subject.write()
    assert worker.wait(60) == 2, worker.log_tail()
    assert "silver_t" in worker.log_text()[since:], worker.log_tail()
    assert "Nothing was changed" in worker.log_text()[since:], worker.log_tail()
    assert not path.exists(), list(path.rglob("*"))
    (t.dir / "aside").rename(path)
    subject.go_on(thorough=True)


def flip(path, generator):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    bit = generator.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    return bit, bytes(data)


def test_flipped_bits(t):
    """A bit anywhere: either it is noticed, and named, or all is right all the same.  Only within the pages of data
    files, which hold no sum, can a bit change a value unseen; verify finds that."""
    subject = Subject(t, rows=200)
    generator = random.Random(SEED)
    outcome = {"refused": 0, "harmless": 0}
    kinds = ["metadata", "manifest list", "data manifest", "delete manifest", "version hint"]
    for number in range(FLIPS):
        table = generator.choice(["silver_t", "bronze_t", "cdc_checkpoints"])
        found = files(subject.lake, table)
        path = found.get(generator.choice(kinds), found["metadata"])
        with open(path, "rb") as file:
            whole = file.read()
        bit, data = flip(path, generator)
        overwrite(path, data)
        ended, _, errors = subject.worker.command("run", "--until-lsn", subject.write(), timeout=60)
        where = "bit %d of %s" % (bit, path)
        assert ended in (0, 2), "%s: exit code %s\n%s" % (where, ended, errors)
        if ended == 2:
            outcome["refused"] += 1
            assert os.path.basename(path) in errors or table in errors, "%s: %s" % (where, errors)
            overwrite(path, whole)
            subject.go_on()
            continue
        outcome["harmless"] += 1
        overwrite(path, whole)
        try:
            subject.judge.look(subject.db.lsn(), True)
        except Exception as error:
            raise AssertionError("%s: %s" % (where, error)) from error
    print("%d flips: %s" % (FLIPS, outcome))


def test_flipped_bits_in_data_files(t):
    """The worker refuses or goes on, and never ends otherwise; a value that changed unseen is found by verify."""
    subject = Subject(t, rows=200)
    generator = random.Random(SEED)
    outcome = {"refused": 0, "unseen": 0, "found by verify": 0}
    for _ in range(FLIPS):
        path = files(subject.lake, "silver_t")[generator.choice(["data file", "delete file"])]
        with open(path, "rb") as file:
            whole = file.read()
        bit, data = flip(path, generator)
        overwrite(path, data)
        ended, _, errors = subject.worker.command("run", "--until-lsn", subject.db.lsn(), timeout=60)
        assert ended in (0, 2), "bit %d of %s: exit code %s\n%s" % (bit, path, ended, errors)
        if ended == 2:
            assert os.path.basename(path) in errors, errors
            outcome["refused"] += 1
        else:
            code, output, errors = subject.worker.command("verify", timeout=60)
            assert code in (0, 1, 2), (code, output, errors)
            assert code != 0 or subject.readers_agree_or_refuse(), "bit %d of %s: unseen by verify" % (bit, path)
            outcome["unseen" if code == 0 else "found by verify"] += 1
        overwrite(path, whole)
    subject.go_on(thorough=True)
    print("%d flips: %s" % (FLIPS, outcome))


test_flipped_bits.timeout = 3600
test_flipped_bits_in_data_files.timeout = 3600
test_metadata_of_another_table_version_or_format.quick = True
test_directories_that_have_gone.quick = True
