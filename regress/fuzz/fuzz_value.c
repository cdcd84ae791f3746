/*
 * fuzz_value.c
 *		libFuzzer over one value of one type: readers, encoders, printer, defaults.
 *
 * The input is two bytes that choose the options, one for the type, one for its modifier,
 * one that says what follows: the bytes of a binary value, text of the type's output
 * function, or a default expression.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "envelope/render.h"

typedef struct FuzzType
{
	uint32_t oid;
	const char *name;
	char kind;
	uint32_t element_oid;
	const char *element_name;
} FuzzType;

/* Never reordered: an input names a type by its place. */
static const FuzzType types[] = {
	{ 16, "bool", 'b', 0, "" },
	{ 17, "bytea", 'b', 0, "" },
	{ 18, "char", 'b', 0, "" },
	{ 19, "name", 'b', 0, "" },
	{ 20, "int8", 'b', 0, "" },
	{ 21, "int2", 'b', 0, "" },
	{ 23, "int4", 'b', 0, "" },
	{ 25, "text", 'b', 0, "" },
	{ 26, "oid", 'b', 0, "" },
	{ 114, "json", 'b', 0, "" },
	{ 142, "xml", 'b', 0, "" },
	{ 700, "float4", 'b', 0, "" },
	{ 701, "float8", 'b', 0, "" },
	{ 790, "money", 'b', 0, "" },
	{ 1042, "bpchar", 'b', 0, "" },
	{ 1043, "varchar", 'b', 0, "" },
	{ 1082, "date", 'b', 0, "" },
	{ 1083, "time", 'b', 0, "" },
	{ 1114, "timestamp", 'b', 0, "" },
	{ 1184, "timestamptz", 'b', 0, "" },
	{ 1186, "interval", 'b', 0, "" },
	{ 1266, "timetz", 'b', 0, "" },
	{ 1560, "bit", 'b', 0, "" },
	{ 1562, "varbit", 'b', 0, "" },
	{ 1700, "numeric", 'b', 0, "" },
	{ 2950, "uuid", 'b', 0, "" },
	{ 3802, "jsonb", 'b', 0, "" },
	{ 600, "point", 'b', 0, "" },
	{ 601, "lseg", 'b', 0, "" },
	{ 604, "polygon", 'b', 0, "" },
	{ 628, "line", 'b', 0, "" },
	{ 718, "circle", 'b', 0, "" },
	{ 603, "box", 'b', 0, "" },
	{ 602, "path", 'b', 0, "" },
	{ 869, "inet", 'b', 0, "" },
	{ 650, "cidr", 'b', 0, "" },
	{ 829, "macaddr", 'b', 0, "" },
	{ 774, "macaddr8", 'b', 0, "" },
	{ 3904, "int4range", 'r', 0, "" },
	{ 3614, "tsvector", 'b', 0, "" },
	{ 3220, "pg_lsn", 'b', 0, "" },
	{ 16500, "hstore", 'b', 0, "" },
	{ 16501, "citext", 'b', 0, "" },
	{ 16502, "ltree", 'b', 0, "" },
	{ 16503, "isbn", 'b', 0, "" },
	{ 16504, "geometry", 'b', 0, "" },
	{ 16505, "geography", 'b', 0, "" },
	{ 16506, "vector", 'b', 0, "" },
	{ 16507, "halfvec", 'b', 0, "" },
	{ 16508, "sparsevec", 'b', 0, "" },
	{ 16509, "mood", 'e', 0, "" },
	{ 16510, "pair", 'c', 0, "" },
	{ 16511, "_mood", 'b', 16509, "mood" },
	{ 1000, "_bool", 'b', 16, "bool" },
	{ 1001, "_bytea", 'b', 17, "bytea" },
	{ 1005, "_int2", 'b', 21, "int2" },
	{ 1007, "_int4", 'b', 23, "int4" },
	{ 1016, "_int8", 'b', 20, "int8" },
	{ 1009, "_text", 'b', 25, "text" },
	{ 1015, "_varchar", 'b', 1043, "varchar" },
	{ 1021, "_float4", 'b', 700, "float4" },
	{ 1022, "_float8", 'b', 701, "float8" },
	{ 1231, "_numeric", 'b', 1700, "numeric" },
	{ 1182, "_date", 'b', 1082, "date" },
	{ 1183, "_time", 'b', 1083, "time" },
	{ 1115, "_timestamp", 'b', 1114, "timestamp" },
	{ 1185, "_timestamptz", 'b', 1184, "timestamptz" },
	{ 1187, "_interval", 'b', 1186, "interval" },
	{ 2951, "_uuid", 'b', 2950, "uuid" },
	{ 199, "_json", 'b', 114, "json" },
	{ 3807, "_jsonb", 'b', 3802, "jsonb" },
	{ 1561, "_bit", 'b', 1560, "bit" },
	{ 1041, "_inet", 'b', 869, "inet" },
	{ 3905, "_int4range", 'b', 3904, "int4range" },
	{ 791, "_money", 'b', 790, "money" },
	{ 1270, "_timetz", 'b', 1266, "timetz" },
	{ 16512, "_hstore", 'b', 16500, "hstore" },
	{ 16513, "_citext", 'b', 16501, "citext" },
};

#define TYPE_COUNT (sizeof types / sizeof *types)

/* -1: none; numeric(10,2), (38,0), (5,-2), (1000,1000), or a length or precision. */
static const int32_t typmods[] = {
	-1,
	0,
	1,
	3,
	6,
	5,
	64,
	(10 << 16 | 2) + 4,
	(38 << 16) + 4,
	(5 << 16 | 0x7FE) + 4,
	(1000 << 16 | 1000) + 4,
};

#define TYPMOD_COUNT (sizeof typmods / sizeof *typmods)

static const char *const labels[] = { "sad", "ok", "it's \"fine\"" };

static void
fill_column(RelationColumn *column, const FuzzType *type, int32_t typmod)
{
	*column = (RelationColumn){
		.name = "v",
		.attnum = 1,
		.type_oid = type->oid,
		.typmod = typmod,
		.base_oid = type->oid,
		.base_typmod = typmod,
		.type_kind = type->kind,
		.type_name = type->name,
		.type_schema = "pg_catalog",
		.type_text = type->name,
		.element_oid = type->element_oid,
		.element_kind = type->element_oid == 16509 ? 'e' : 'b',
		.element_name = type->element_name,
		.labels = labels,
		.label_count = 3,
	};
}

/* The row with the value twice: nullable, and NOT NULL and part of the key. */
static void
put_tuple(Buf *tuple, char kind, Slice bytes)
{
	buf_u16(tuple, 2);
	for (int i = 0; i < 2; i++)
	{
		if (kind == 'n')
			buf_char(tuple, 'n');
		else
			wire_value(tuple, kind, bytes.data, (uint32_t) bytes.len);
	}
}

static void
render_tuple(const Relation *relation, const EnvOptions *options, Arena *arena,
             Slice tuple, char type)
{
	Alloc alloc = arena_as_alloc(arena);
	EnvError error;
	RenderPlan *plan = render_plan_new(relation, options, &alloc, &error);
	RenderChange change = { .type = type,
		                    .new_tuple = tuple,
		                    .source = { .database = "shop", .lsn = 1 } };
	RenderRecord records[RENDER_MAX_RECORDS];
	Buf out = buf_heap();
	int count;

	if (plan != NULL && render_records(plan, &change, &out, records, &count, &error))
	{
		fuzz_check_json((Slice){ out.data + records[0].value_at, records[0].value_len });
		if (records[0].has_key)
			fuzz_check_json((Slice){ out.data + records[0].key_at, records[0].key_len });
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input input = { data, size };
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	unsigned seed = input_byte(&input) << 8;
	uint16_t key = 1;
	RelationColumn columns[2];
	Relation relation = {
		.relid = 16384,
		.schema = "public",
		.name = "t",
		.replica_identity = 'd',
		.relkind = 'r',
		.root_schema = "",
		.root_name = "",
		.key_source = 'p',
		.key_count = 1,
		.key = &key,
		.column_count = 2,
		.columns = columns,
	};
	EnvOptions options;
	EnvOptions bronze;
	Buf tuple = buf_heap();
	Buf text = buf_heap();
	const FuzzType *type;
	int32_t typmod;
	unsigned form;
	Slice bytes;
	char kind;

	seed |= input_byte(&input);
	type = &types[input_byte(&input) % TYPE_COUNT];
	typmod = typmods[input_byte(&input) % TYPMOD_COUNT];
	form = input_byte(&input) % 3;
	fuzz_options(&options, seed, &alloc);
	render_options_bronze(&bronze, &options, &alloc);
	fill_column(&columns[0], type, typmod);
	fill_column(&columns[1], type, typmod);
	columns[1].index = 1;
	columns[1].attnum = 2;
	columns[1].name = "k";
	columns[1].not_null = columns[1].in_identity = true;
	bytes = (Slice){ (const char *) input.at, input.left };
	kind = form == 2 ? 'n' : value_is_binary(&columns[0]) ? 'b' : 't';
	/* one in the wrong form is refused */
	if (form == 1)
		kind = 't';
	if (form == 2)
		columns[0].default_text = columns[1].default_text =
			arena_strndup(arena, bytes.data, strnlen(bytes.data, bytes.len));
	put_tuple(&tuple, kind, bytes);
	render_tuple(&relation, &options, arena, (Slice){ tuple.data, tuple.len }, 'I');
	render_tuple(&relation, &bronze, arena, (Slice){ tuple.data, tuple.len }, 'r');
	(void) value_print(&text,
	                   &columns[0],
	                   (Value){ (ValueKind) kind, (uint32_t) bytes.len, bytes.data });
	buf_free(&text);
	buf_free(&tuple);
	env_options_fini(&options);
	env_options_fini(&bronze);
	arena_free(arena);
	return 0;
}
