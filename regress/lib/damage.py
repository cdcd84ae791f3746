"""Files of the lake: found by what they are, damaged in every way, put back.

    lake = t.lake(worker)
    with damaged(files(lake, "silver_t")["manifest list"], "cut"):
        ...
"""

import contextlib
import hashlib
import os
import urllib.parse


def local(uri):
    return uri.removeprefix("file://")


def files(lake, table):
    """{what it is: path} of a table; of several manifests or data files the last."""
    iceberg = lake.iceberg(table)
    found = {"metadata": str(lake.metadata_file(table)),
             "version hint": str(lake.metadata_file(table).with_name("version-hint.text"))}
    snapshot = iceberg.current_snapshot()
    found["manifest list"] = local(snapshot.manifest_list)
    for manifest in snapshot.manifests(iceberg.io):
        kind = "data" if manifest.content == 0 else "delete"
        for entry in manifest.fetch_manifest_entry(iceberg.io):
            found["%s manifest" % kind] = local(manifest.manifest_path)
            found["%s file" % kind] = local(entry.data_file.file_path)
    return found


def _cut(data):
    return data[:len(data) // 2]


def _garbled(data):
    """Same size, other bytes: what a disk gives back for a lost block."""
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xA5 for byte in data[middle:])


def _other(_data):
    return b'{"valid": "JSON", "of": ["something", "else"]}'


DAMAGES = {"missing": None, "empty": lambda _data: b"", "cut": _cut, "garbled": _garbled, "other": _other}


def overwrite(path, data):
    """As a broken disk does, with none of the worker's care; the times of the file stay."""
    times = os.stat(path)
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@contextlib.contextmanager
def damaged(path, how):
    """The file is damaged within; how: a name of DAMAGES, or a function of its bytes."""
    with open(path, "rb") as file:
        data = file.read()
    change = DAMAGES[how] if isinstance(how, str) else how
    if change is None:
        os.rename(path, path + ".aside")
    else:
        overwrite(path, change(data))
    try:
        yield path
    finally:
        if change is None:
            os.rename(path + ".aside", path)
        else:
            overwrite(path, data)


def fingerprint(directory):
    """{path: digest} of all files below it."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(directory))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def directory_of(lake, table):
    return lake.dir / urllib.parse.quote(table, safe="")
