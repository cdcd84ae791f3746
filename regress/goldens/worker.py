"""The leg of check.py that runs the worker with a case's settings into a real broker.

All cases share a broker, and their topics would mix: the topic.prefix of each run has a word of its own behind
Debezium's, which is taken out of everything that was read again.
"""

import re

from goldens.golden import base_settings, written_property
from lib.consumer import Reader, read_all
from lib.support import wait_for
from lib.worker import Worker

LEG = "worker"

_HEARTBEATS_WANTED = 3


class Run:
    """One case through one worker, without or with schemas."""

    def __init__(self, broker, database, slot, case, schemas, number):
        self.case = case
        self.schemas = schemas
        self.broker = broker
        self.database = database
        self.slot = slot
        self.word = "Xq%04dz" % number
        self.worker = Worker(database, name="golden")
        self.worker.config = self._settings()

    def _settings(self):
        """The case's settings as Debezium had them; what is ours is where to read and where to write."""
        settings = dict(base_settings(), **self.case.settings)
        prefix = settings["topic.prefix"]
        settings.update({name: str(value) for name, value in self.database.properties().items()})
        # expressions that name the prefix have to match the one with the word
        for name, value in settings.items():
            if re.match(r"(transforms|predicates)\..*(regex|pattern)$", name):
                settings[name] = re.sub(r"(?<![\w.-])%s(?=\\?\.)" % re.escape(prefix), prefix + self.word, value)
        settings.update({
            "topic.prefix": prefix + self.word,
            "plugin.name": "cdc_decoder",
            "slot.name": self.slot,
            "slot.drop.on.stop": "false",
            "outputs": "kafka",
            "kafka.bootstrap.servers": self.broker.bootstrap,
        })
        for part in ("key", "value"):
            settings[part + ".converter"] = "org.apache.kafka.connect.json.JsonConverter"
            settings[part + ".converter.schemas.enable"] = "true" if self.schemas else "false"
        if self.case.replace_null:
            settings["value.converter.replace.null.with.default"] = self.case.replace_null
        # lsn()'s messages are no records
        if "message.prefix.include.list" not in settings:
            excluded = settings.get("message.prefix.exclude.list")
            settings["message.prefix.exclude.list"] = "test" if not excluded else excluded + ",test"
        return {written_property(name): written_property(value) for name, value in settings.items()}

    @property
    def starts_first(self):
        """Whether the worker must have been there before the changes."""
        return (self.case.setting("snapshot.mode", "no_data") != "no_data" or self.case.paced
                or bool(self.case.setting("replica.identity.autoset.values")))

    def before(self):
        """What happens before the changes, if the worker starts_first."""
        self.worker.start()
        self.worker.wait_log("streaming from slot")

    def after(self):
        """Has the worker read what was changed."""
        end = self.database.lsn()
        if not self.starts_first:
            self.worker.run_until(end, timeout=60)
            return
        self.database.wait_confirmed(self.slot, end)
        if self.case.paced:
            self._wait_for_heartbeats()
        self.worker.stop()

    def _wait_for_heartbeats(self):
        names = wait_for(lambda: [name for name in self.broker.topics(internal=True)
                                  if name.startswith(self.case.heartbeats) and name.endswith(self.word)], 20, "a heartbeat topic")
        reader = Reader(self.broker, *names)
        try:
            reader.until(lambda found: len(found) >= _HEARTBEATS_WANTED)
        finally:
            reader.close()

    def _clean(self, text):
        return None if text is None else text.replace(self.word, "")

    def records(self, found):
        """Of what was read from the broker, this run's records."""
        for record in found:
            yield self.case.record({
                "topic": self._clean(record.topic),
                "key": self._clean(record.key),
                "value": self._clean(record.value),
                "headers": [{"k": self._clean(k), "v": self._clean(v)} for k, v in record.headers],
            })


def read_broker(broker):
    """{word of a run: its records}: the word is in the topic, or a route took it out and left it in the headers or the value."""
    topics = [name for name in sorted(broker.topics(internal=True))
              if not name.startswith(("__cdc_sink", "__consumer", "__transaction", "__share"))]
    found = {}
    for record in read_all(broker, *topics):
        place = " ".join([record.topic, *(value or "" for _, value in record.headers), record.value or ""])
        word = re.search(r"Xq\d{4}z", place)
        found.setdefault(word.group() if word else None, []).append(record)
    return found
