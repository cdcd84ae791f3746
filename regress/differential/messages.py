"""Logical messages in transaction metadata: their places in Debezium's list are by chance."""

import re

MESSAGE = re.compile(r'"io\.debezium[^"]*LogicalDecodingMessageId@[^"]*"|"LOGICAL_DECODING_MESSAGE"')
ENTRY = r'\{"data_collection":"(?:[^"\\]|\\.)*","event_count":\d+\}'
COLLECTIONS = re.compile(r'("data_collections":\[)((?:%s,?)+)\]' % ENTRY)


def messages_last(value):
    """Data collections with those of logical messages behind the others: their places in Debezium's map are by an
    object's address."""
    def reorder(found):
        entries = re.findall(ENTRY, found.group(2))
        return found.group(1) + ",".join(sorted(entries, key=lambda entry: bool(MESSAGE.search(entry)))) + "]"
    return COLLECTIONS.sub(reorder, value) if MESSAGE.search(value) else value
