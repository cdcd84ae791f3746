"""Reading topics as an application would: committed records only, unless asked otherwise.

    for record in read_all(broker, "cdc.public.users"):
        print(record.key, record.value, record.headers)
"""

import collections
import json
import time

import confluent_kafka as kafka

from lib.support import Timeout


class Record(collections.namedtuple("Record", "topic partition offset key value headers timestamp")):
    """key and value are str or None, headers a list of (str, str or None)."""

    __slots__ = ()

    @property
    def json_key(self):
        return None if self.key is None else json.loads(self.key)

    @property
    def json(self):
        """The value parsed; None for a tombstone."""
        return None if self.value is None else json.loads(self.value)

    @property
    def payload(self):
        """The envelope, with or without schemas.enable."""
        value = self.json
        return value["payload"] if value is not None and "schema" in value else value


def _text(data):
    return None if data is None else data.decode("utf-8")


def _record(message):
    headers = [(name, _text(value)) for name, value in message.headers() or []]
    return Record(message.topic(), message.partition(), message.offset(), _text(message.key()),
                  _text(message.value()), headers, message.timestamp()[1])


class Reader:
    """A consumer of all partitions of some topics, without a group: from offsets, by (topic, partition), or else
    from their beginning."""

    def __init__(self, broker, *topics, isolation="read_committed", offsets=None):
        self._consumer = kafka.Consumer({
            "bootstrap.servers": broker.bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "check.crcs": True,
        })
        partitions = broker.topics(internal=True)
        names = topics or [name for name in sorted(partitions) if not name.startswith("__")]
        self._partitions = [kafka.TopicPartition(name, number,
                                                 (offsets or {}).get((name, number), kafka.OFFSET_BEGINNING))
                            for name in names for number in range(partitions.get(name, 0))]
        self._consumer.assign(self._partitions)

    def to_end(self, timeout=60):
        """The records up to the last committed one of each partition; per partition in order.  To be called
        once: the library tells the end of a partition that nothing was added to only once."""
        deadline = time.monotonic() + timeout
        pending = {(p.topic, p.partition) for p in self._partitions}
        records = []
        while pending:
            if time.monotonic() > deadline:
                raise Timeout("read for %s s without coming to the end of %s" % (timeout, sorted(pending)))
            for message in self._consumer.consume(10000, 0.2):
                place = (message.topic(), message.partition())
                error = message.error()
                if error is None:
                    pending.add(place)
                    records.append(_record(message))
                elif error.code() == kafka.KafkaError._PARTITION_EOF:
                    pending.discard(place)
                elif error.fatal() or not error.retriable():
                    raise kafka.KafkaException(error)
        return records

    def until(self, condition, timeout=60):
        """Reads until condition(records so far) holds and returns them."""
        deadline = time.monotonic() + timeout
        records = []
        while not condition(records):
            if time.monotonic() > deadline:
                raise Timeout("waited %s s; %d records came" % (timeout, len(records)))
            for message in self._consumer.consume(10000, 0.05):
                error = message.error()
                if error is None:
                    records.append(_record(message))
                elif error.code() != kafka.KafkaError._PARTITION_EOF and (error.fatal() or not error.retriable()):
                    raise kafka.KafkaException(error)
        return records

    def poll(self, seconds):
        """What comes next, waiting at most so long for the first."""
        messages = self._consumer.consume(1, seconds)
        messages += self._consumer.consume(10000, 0) if messages else []
        return [_record(message) for message in messages if message.error() is None]

    def close(self):
        self._consumer.close()


def read_all(broker, *topics, isolation="read_committed", timeout=60):
    """Everything committed so far in these topics (none: all but internal ones)."""
    reader = Reader(broker, *topics, isolation=isolation)
    try:
        return reader.to_end(timeout)
    finally:
        reader.close()
