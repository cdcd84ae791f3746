/*
 * convert.c
 *		one function for each class of converter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "connect/convert.h"

#include <stdlib.h>

#include "connect/avro.h"
#include "connect/json.h"
#include "connect/registry.h"
#include "http/http.h"

#define FIRST_SLOTS 64

/* The id of a schema under a topic's subject. */
typedef struct KnownId
{
	const ConnectSchema *schema; /* NULL: free slot */
	const char *topic;
	int32_t id;
} KnownId;

struct ConnectConverter
{
	const ConverterConfig *config;
	const char *of; /* "key" or "value" */
	ConnectSchemas *schemas;
	ConnectJson json;
	Registry *registry; /* of Avro */
	KnownId *ids;       /* open addressing */
	size_t slots;
	size_t used;
};

static bool
flag_of(int flag, bool inherited)
{
	return flag == CONVERTER_INHERIT ? inherited : flag == CONVERTER_TRUE;
}

static ConnectJson
json_options(const Config *config, const ConverterConfig *converter,
             ConnectSchemas *schemas)
{
	return (ConnectJson){
		.schemas = schemas,
		.schemas_enable = flag_of(converter->schemas_enable, config->env.schemas_enable),
		.replace_null_with_default = flag_of(converter->replace_null_with_default,
		                                     config->env.replace_null_with_default),
	};
}

bool
connect_renders_directly(const Config *config, bool *schemas_enable,
                         bool *replace_null_with_default)
{
	ConnectJson key = json_options(config, &config->key_converter, NULL);
	ConnectJson value = json_options(config, &config->value_converter, NULL);

	*schemas_enable = value.schemas_enable;
	*replace_null_with_default = value.replace_null_with_default;
	return converter_class(&config->key_converter) == CONVERTER_JSON &&
	       converter_class(&config->value_converter) == CONVERTER_JSON &&
	       key.schemas_enable == value.schemas_enable &&
	       key.replace_null_with_default == value.replace_null_with_default;
}

ConnectConverter *
connect_converter_new(const Config *config, bool is_key, ConnectSchemas *schemas,
                      const atomic_bool *stop, Err *err)
{
	const ConverterConfig *mine =
		is_key ? &config->key_converter : &config->value_converter;
	ConnectConverter *converter = xmalloc(sizeof *converter);

	*converter = (ConnectConverter){ .config = mine,
		                             .of = is_key ? "key" : "value",
		                             .schemas = schemas,
		                             .json = json_options(config, mine, schemas),
		                             .slots = FIRST_SLOTS };
	converter->ids = xmalloc(FIRST_SLOTS * sizeof *converter->ids);
	memset(converter->ids, 0, FIRST_SLOTS * sizeof *converter->ids);
	if (converter_class(mine) != CONVERTER_AVRO)
		return converter;
	converter->registry = registry_new(mine, stop, err);
	if (converter->registry != NULL)
		return converter;
	connect_converter_free(converter);
	return NULL;
}

void
connect_converter_free(ConnectConverter *converter)
{
	if (converter == NULL)
		return;
	registry_free(converter->registry);
	free(converter->ids);
	free(converter);
}

/* ---- Avro ---- */

static KnownId *
find_id(KnownId *ids, size_t slots, const ConnectSchema *schema, const char *topic)
{
	uint64_t hash = (uint64_t) (uintptr_t) schema * UINT64_C(0x9E3779B97F4A7C15);
	size_t at;

	for (const char *c = topic; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * UINT64_C(0x100000001B3);
	for (at = (size_t) (hash >> 20) & (slots - 1); ids[at].schema != NULL;
	     at = (at + 1) & (slots - 1))
		if (ids[at].schema == schema && strcmp(ids[at].topic, topic) == 0)
			break;
	return &ids[at];
}

static void
remember(ConnectConverter *converter, const ConnectSchema *schema, const char *topic,
         int32_t id)
{
	const char *copy = arena_strdup(connect_schemas_arena(converter->schemas), topic);

	if (++converter->used > converter->slots / 2)
	{
		size_t slots = converter->slots * 2;
		KnownId *ids = xmalloc(slots * sizeof *ids);

		memset(ids, 0, slots * sizeof *ids);
		for (size_t i = 0; i < converter->slots; i++)
			if (converter->ids[i].schema != NULL)
				*find_id(ids, slots, converter->ids[i].schema, converter->ids[i].topic) =
					converter->ids[i];
		free(converter->ids);
		converter->ids = ids;
		converter->slots = slots;
	}
	*find_id(converter->ids, converter->slots, schema, topic) =
		(KnownId){ schema, copy, id };
}

/* The subject, by key.subject.name.strategy or value.subject.name.strategy. */
static bool
make_subject(const ConnectConverter *converter, const AvroSchema *avro, const char *topic,
             Arena *arena, const char **subject, Err *err)
{
	SubjectStrategy strategy = (SubjectStrategy) converter->config->registry_subject;

	if (strategy == SUBJECT_TOPIC)
	{
		*subject = arena_printf(arena, "%s-%s", topic, converter->of);
		return true;
	}
	if (avro->full_name == NULL)
		return fail(err,
		            ERR_DATA,
		            "a %s of topic \"%s\" has no name to make a subject of: it is not a "
		            "record",
		            converter->of,
		            topic);
	*subject = strategy == SUBJECT_RECORD
	               ? avro->full_name
	               : arena_printf(arena, "%s-%s", topic, avro->full_name);
	return true;
}

static bool
get_id(ConnectConverter *converter, const ConnectSchema *schema, const char *topic,
       Arena *arena, int32_t *id, Err *err)
{
	const AvroSchema *avro = avro_schema(converter->schemas, schema, err);
	const KnownId *known = find_id(converter->ids, converter->slots, schema, topic);
	const char *subject;

	if (known->schema != NULL)
	{
		*id = known->id;
		return true;
	}
	if (avro == NULL)
		return fail_while(err, "cannot make the Avro schema of topic \"%s\"", topic);
	if (!make_subject(converter, avro, topic, arena, &subject, err) ||
	    !registry_id(converter->registry, subject, avro->text, id, err))
		return false;
	remember(converter, schema, topic, *id);
	return true;
}

/* Confluent's wire format: a zero byte, the id in four, then Avro's encoding. */
static bool
convert_avro(ConnectConverter *converter, const char *topic, const ConnectData *data,
             const ConnectBytes *out, Err *err)
{
	const AvroSchema *avro;
	Slice bytes;
	int32_t id;

	if (!get_id(converter, data->schema, topic, out->arena, &id, err))
		return false;
	avro = data->schema->memo->avro;
	buf_u8(out->buf, 0);
	buf_u32(out->buf, (uint32_t) id);
	if (!avro->is_bytes)
		return avro_encode(&data->value,
		                   data->schema,
		                   converter->config->ignore_default_for_nullables,
		                   out->arena,
		                   out->buf,
		                   err);
	if (!connect_read_bytes(data->value.json, out->arena, &bytes))
		return fail(err, ERR_DATA, "a value is not of its type bytes");
	buf_slice(out->buf, bytes);
	return true;
}

/* ---- Strings and bytes ---- */

static bool
fail_type(const ConnectConverter *converter, const ConnectData *data, const char *topic,
          const char *class, Err *err)
{
	(void) fail(err,
	            ERR_DATA,
	            "%s cannot convert a %s of type %s of topic \"%s\"",
	            class,
	            converter->of,
	            data->schema == NULL ? "JSON" : connect_type_name(data->schema->type),
	            topic);
	return fail_hint(err, "Change %s.converter.", converter->of);
}

/* Object.toString(), for what has one that a consumer can read. */
static bool
convert_string(const ConnectConverter *converter, const char *topic,
               const ConnectData *data, const ConnectBytes *out, Err *err)
{
	ConnectType type = data->schema == NULL ? CONNECT_STRING : data->schema->type;
	bool present;

	if (type == CONNECT_STRUCT || type == CONNECT_BYTES || type == CONNECT_ARRAY ||
	    type == CONNECT_MAP || *data->value.json.data == '{' ||
	    *data->value.json.data == '[')
		return fail_type(converter, data, topic, "StringConverter", err);
	return connect_simple_header(data, out->arena, out->buf, &present, err);
}

static bool
convert_bytes(const ConnectConverter *converter, const char *topic,
              const ConnectData *data, const ConnectBytes *out, Err *err)
{
	Slice bytes;

	if (data->schema == NULL || data->schema->type != CONNECT_BYTES ||
	    !connect_read_bytes(data->value.json, out->arena, &bytes))
		return fail_type(converter, data, topic, "ByteArrayConverter", err);
	buf_slice(out->buf, bytes);
	return true;
}

bool
connect_convert(ConnectConverter *converter, const char *topic, const ConnectData *data,
                ConnectBytes *out, Err *err)
{
	ConverterClass class = converter_class(converter->config);

	if (class == CONVERTER_JSON)
		return connect_json_convert(
			&converter->json, data, out->arena, out->buf, &out->present, err);
	out->present = data->value.form != CONNECT_IS_NULL;
	if (!out->present)
		return true;
	switch (class)
	{
		case CONVERTER_AVRO:
			if (data->schema == NULL)
				return fail_type(converter, data, topic, "AvroConverter", err);
			return convert_avro(converter, topic, data, out, err);
		case CONVERTER_STRING:
			return convert_string(converter, topic, data, out, err);
		default:
			return convert_bytes(converter, topic, data, out, err);
	}
}

static bool
check_registry(const ConverterConfig *converter, FILE *to)
{
	Err err = { 0 };
	Registry *registry = registry_new(converter, NULL, &err);
	char shown[HTTP_SHOWN];
	const char *url = converter->registry_url;
	bool ok = registry != NULL && registry_check(registry, &url, &err);

	(void) http_shown(url, shown);
	if (ok)
		(void) fprintf(to, "ok schema registry %s\n", shown);
	else
		(void) fprintf(to, "schema registry %s: %s. %s\n", shown, err.text, err.hint);
	registry_free(registry);
	return ok;
}

bool
connect_check(const Config *config, FILE *to)
{
	const ConverterConfig *key = &config->key_converter;
	const ConverterConfig *value = &config->value_converter;
	bool key_asks = converter_class(key) == CONVERTER_AVRO;
	bool same = key_asks && strcmp(key->registry_url, value->registry_url) == 0;
	bool ok = !key_asks || check_registry(key, to);

	if (converter_class(value) == CONVERTER_AVRO && !same)
		ok = check_registry(value, to) && ok;
	return ok;
}
