/*
 * transform_classes.c
 *		the table of transformations and predicates.
 *
 * Sources: the configuration definitions in io.debezium.transforms of Debezium 3.6.1 and
 * org.apache.kafka.connect.transforms of Kafka 4.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/transforms.h"

#define CONNECT      "org.apache.kafka.connect.transforms."
#define ROWS(array)  array, sizeof(array) / sizeof *(array)
#define REGEX        "Java regular expression"
#define NAMES        "names, separated by commas"
#define NULL_DEFAULT "Whether a null field becomes its schema's default."
#define NO_TRACING   "There is no tracing; remove the option."
#define MODE_NAME    "delete.tombstone.handling.mode"
#define NOW_MODE     "Debezium 3 has " MODE_NAME " instead."

/* clang-format off */
static const TransformOption unwrap_options[] = {
	{ "add.fields", STAGE_LIST, false, "", "names, source.name, name:new name",
	  "Metadata to add to the row as fields." },
	{ "add.fields.prefix", STAGE_TEXT, false, "__", "", "Prefix of the added fields' names." },
	{ "add.headers", STAGE_LIST, false, "", "as add.fields", "Metadata to add as headers." },
	{ "add.headers.prefix", STAGE_TEXT, false, "__", "", "Prefix of the added headers' names." },
	{ "delete.handling.mode", STAGE_REFUSED, false, NULL, "", NOW_MODE },
	{ MODE_NAME, STAGE_WORD, false, "tombstone",
	  "drop, tombstone, rewrite, rewrite-with-tombstone, delete-to-tombstone",
	  "What becomes of deletes and the tombstones behind them." },
	{ "drop.fields.from.key", STAGE_FLAG, false, "false", "",
	  "Whether fields are dropped from the key as well." },
	{ "drop.fields.header.name", STAGE_TEXT, false, NULL, "header name",
	  "Header that holds the list of fields to drop." },
	{ "drop.fields.keep.schema.compatible", STAGE_FLAG, false, "true", "",
	  "Whether only optional fields are dropped." },
	{ "drop.tombstones", STAGE_REFUSED, false, NULL, "", NOW_MODE },
	{ "replace.null.with.default", STAGE_FLAG, false, "true", "",
	  NULL_DEFAULT " In the modes that rewrite." },
	{ "route.by.field", STAGE_TEXT, false, "", "field name",
	  "Field whose value becomes the topic." },
};

static const TransformOption outbox_options[] = {
	{ "field.name.adjustment.mode", STAGE_WORD, false, "none", "none",
	  "How the names in an expanded payload are adjusted." },
	{ "route.by.field", STAGE_TEXT, true, "aggregatetype", "column",
	  "Column that decides the topic." },
	{ "route.tombstone.on.empty.payload", STAGE_FLAG, false, "false", "",
	  "Whether an empty payload gives a tombstone." },
	{ "route.topic.regex", STAGE_PATTERN, true, "(?<routedByValue>.*)", REGEX,
	  "Expression for the value of route.by.field." },
	{ "route.topic.replacement", STAGE_TEXT, true, "outbox.event.${routedByValue}", "",
	  "Topic, in which groups of route.topic.regex are replaced." },
	{ "table.expand.json.payload", STAGE_FLAG, false, "false", "",
	  "Whether a payload that is JSON becomes a struct." },
	{ "table.field.additional.missing", STAGE_WORD, false, "error", "error, ignore",
	  "What to do when an additional column is not there." },
	{ "table.field.event.id", STAGE_TEXT, true, "id", "column", "Column of the event's id." },
	{ "table.field.event.key", STAGE_TEXT, true, "aggregateid", "column",
	  "Column of the event's key." },
	{ "table.field.event.payload", STAGE_TEXT, true, "payload", "column",
	  "Column of the event's payload." },
	{ "table.field.event.schema.version", STAGE_TEXT, false, NULL, "column",
	  "Column of the schema's version." },
	{ "table.field.event.timestamp", STAGE_TEXT, false, NULL, "column",
	  "Column of the record's timestamp; else the time the event was processed." },
	{ "table.field.event.type", STAGE_TEXT, false, "type", "column",
	  "Column of the event's type; Debezium does not use it either." },
	{ "table.fields.additional.placement", STAGE_LIST, false, NULL,
	  "column:header, column:envelope:alias, column:partition",
	  "Columns to add as headers or fields, or to choose the partition." },
	{ "table.json.payload.null.behavior", STAGE_WORD, false, "ignore", "ignore, optional_bytes",
	  "What a null in an expanded payload becomes: nothing, or a null of type bytes." },
	{ "table.op.invalid.behavior", STAGE_WORD, false, "warn", "warn, error, fatal",
	  "What to do with an update of the outbox table." },
	{ "tracing.operation.name", STAGE_REFUSED, false, NULL, "", NO_TRACING },
	{ "tracing.span.context.field", STAGE_REFUSED, false, NULL, "", NO_TRACING },
	{ "tracing.with.context.field.only", STAGE_REFUSED, false, NULL, "", NO_TRACING },
};

static const TransformOption logical_options[] = {
	{ "key.enforce.uniqueness", STAGE_FLAG, false, "true", "",
	  "Whether the key gets a field that tells the tables apart." },
	{ "key.field.name", STAGE_TEXT, true, "__dbz__physicalTableIdentifier", "field name",
	  "Name of that field." },
	{ "key.field.regex", STAGE_PATTERN, false, NULL, REGEX,
	  "Expression for the old topic, whose replacement is the field's value." },
	{ "key.field.replacement", STAGE_TEXT, false, NULL, "",
	  "Value of the field, in which groups of key.field.regex are replaced; else the old topic." },
	{ "logical.table.cache.size", STAGE_NUMBER, false, "16", "",
	  "Accepted; every schema and topic is remembered." },
	{ "schema.name.adjustment.mode", STAGE_WORD, false, "none", "none, avro, avro_unicode",
	  "How the names of schemas made from the new topic are adjusted." },
	{ "topic.regex", STAGE_PATTERN, true, NULL, REGEX, "Expression that the topic must match." },
	{ "topic.replacement", STAGE_TEXT, true, NULL, "",
	  "New topic, in which groups of topic.regex are replaced." },
};

static const TransformOption regex_options[] = {
	{ "regex", STAGE_PATTERN, true, NULL, REGEX, "Expression that the topic must match." },
	{ "replacement", STAGE_TEXT, true, NULL, "",
	  "New topic, in which groups of regex are replaced." },
};

static const TransformOption replace_options[] = {
	{ "blacklist", STAGE_REFUSED, false, NULL, "", "Kafka 4 has exclude instead." },
	{ "exclude", STAGE_LIST, false, "", NAMES, "Fields to leave out." },
	{ "include", STAGE_LIST, false, "", NAMES, "Fields to keep; empty: all." },
	{ "renames", STAGE_LIST, false, "", "old:new, separated by commas", "Fields to rename." },
	{ "replace.null.with.default", STAGE_FLAG, false, "true", "", NULL_DEFAULT },
	{ "whitelist", STAGE_REFUSED, false, NULL, "", "Kafka 4 has include instead." },
};

static const TransformOption mask_options[] = {
	{ "fields", STAGE_LIST, true, NULL, NAMES, "Fields to mask." },
	{ "replace.null.with.default", STAGE_FLAG, false, "true", "", NULL_DEFAULT },
	{ "replacement", STAGE_TEXT, false, NULL, "",
	  "What stands in the fields; else 0, false or empty. Numbers must fit the field." },
};

static const TransformOption insert_options[] = {
	{ "offset.field", STAGE_REFUSED, false, NULL, "", "Only records that a sink reads have an offset." },
	{ "partition.field", STAGE_TEXT, false, NULL, "field name, with ! or ?",
	  "Field for the partition, which is null unless EventRouter chose it." },
	{ "replace.null.with.default", STAGE_FLAG, false, "true", "", NULL_DEFAULT },
	{ "static.field", STAGE_TEXT, false, NULL, "field name, with ! or ?", "Field for static.value." },
	{ "static.value", STAGE_TEXT, false, NULL, "", "Value of static.field." },
	{ "timestamp.field", STAGE_TEXT, false, NULL, "field name, with ! or ?",
	  "Field for the record's timestamp, which is null unless EventRouter set it." },
	{ "topic.field", STAGE_TEXT, false, NULL, "field name, with ! or ?", "Field for the topic." },
};

static const TransformOption header_options[] = {
	{ "name", STAGE_TEXT, true, NULL, "header name", "Header that a record must have." },
};

static const TransformOption topic_options[] = {
	{ "pattern", STAGE_PATTERN, true, NULL, REGEX, "Expression that the topic must match." },
};

static const TransformClass classes[] = {
	{ "io.debezium.transforms.ByLogicalTableRouter", TRANSFORM_LOGICAL_ROUTER, false,
	  ROWS(logical_options), "Sends the events of several tables to one topic." },
	{ "io.debezium.transforms.ExtractNewRecordState", TRANSFORM_UNWRAP, false,
	  ROWS(unwrap_options), "Leaves the new row of an event." },
	{ "io.debezium.transforms.outbox.EventRouter", TRANSFORM_OUTBOX, false,
	  ROWS(outbox_options), "Makes messages of the rows of an outbox table." },
	{ CONNECT "Filter", TRANSFORM_FILTER, false, NULL, 0,
	  "Drops records; used with a predicate." },
	{ CONNECT "InsertField$Key", TRANSFORM_INSERT_KEY, false, ROWS(insert_options),
	  "Adds fields to the key." },
	{ CONNECT "InsertField$Value", TRANSFORM_INSERT_VALUE, false, ROWS(insert_options),
	  "Adds fields to the value." },
	{ CONNECT "MaskField$Key", TRANSFORM_MASK_KEY, false, ROWS(mask_options),
	  "Masks fields of the key." },
	{ CONNECT "MaskField$Value", TRANSFORM_MASK_VALUE, false, ROWS(mask_options),
	  "Masks fields of the value." },
	{ CONNECT "RegexRouter", TRANSFORM_REGEX_ROUTER, false, ROWS(regex_options),
	  "Renames topics." },
	{ CONNECT "ReplaceField$Key", TRANSFORM_REPLACE_KEY, false, ROWS(replace_options),
	  "Leaves out and renames fields of the key." },
	{ CONNECT "ReplaceField$Value", TRANSFORM_REPLACE_VALUE, false, ROWS(replace_options),
	  "Leaves out and renames fields of the value." },
	{ CONNECT "predicates.HasHeaderKey", PREDICATE_HAS_HEADER, true, ROWS(header_options),
	  "True for records with a header of that name." },
	{ CONNECT "predicates.RecordIsTombstone", PREDICATE_IS_TOMBSTONE, true, NULL, 0,
	  "True for records without a value." },
	{ CONNECT "predicates.TopicNameMatches", PREDICATE_TOPIC_MATCHES, true, ROWS(topic_options),
	  "True for records of topics with such a name." },
};
/* clang-format on */

const TransformClass *
transform_classes(size_t *count)
{
	*count = sizeof classes / sizeof *classes;
	return classes;
}
