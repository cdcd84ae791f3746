"""Another writer of the lake: PyIceberg over the file catalog of a directory."""

from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import update_table_metadata


class _FileCatalog(NoopCatalog):
    """Commits as Hadoop's catalog does: the next vN.metadata.json, then the hint."""

    def __init__(self, path):
        super().__init__("file")
        self.path = path

    def commit_table(self, table, requirements, updates):
        for requirement in requirements:
            requirement.validate(table.metadata)
        metadata = update_table_metadata(table.metadata, updates)
        version = int(self.path.name.removeprefix("v").removesuffix(".metadata.json")) + 1
        self.path = self.path.with_name("v%d.metadata.json" % version)
        assert not self.path.exists()
        ToOutputFile.table_metadata(metadata, table.io.new_output(str(self.path)))
        self.path.with_name("version-hint.text").write_text(str(version))
        return CommitTableResponse(metadata=metadata, metadata_location=str(self.path))


def foreign_table(lake, name):
    """A table of the lake to append to, delete from and overwrite."""
    path = lake.metadata_file(name)
    static = lake.iceberg(name)
    return Table((lake.dir.name, name), static.metadata, str(path), static.io, _FileCatalog(path))


def undo_commits(path):
    """As if nothing had been committed behind the metadata file at path."""
    version = int(path.name.removeprefix("v").removesuffix(".metadata.json"))
    while (later := path.with_name("v%d.metadata.json" % (version + 1))).exists():
        later.unlink()
        version += 1
    path.with_name("version-hint.text").write_text(path.name.removeprefix("v").removesuffix(".metadata.json"))
