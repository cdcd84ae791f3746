/*
 * outbox_json.c
 *		schemas inferred from JSON.
 *
 * The text is read into a tree, the tree gives the schema, and tree and schema give the
 * text again as JsonConverter would print it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "transform/outbox_json.h"

#include "envelope/number.h"
#include "envelope/scan.h"
#include "envelope/value.h"

#define MAX_DEPTH 200

typedef enum NodeKind
{
	NODE_NULL,
	NODE_BOOLEAN,
	NODE_INT,  /* of 32 bits */
	NODE_LONG, /* of 64 bits */
	NODE_BIG,  /* more than that */
	NODE_DOUBLE,
	NODE_STRING,
	NODE_ARRAY,
	NODE_OBJECT,
} NodeKind;

typedef struct Node
{
	NodeKind kind;
	const char *name; /* in an object */
	Slice text;       /* of a string: its characters */
	int64_t integer;
	double number;
	struct Node *items; /* of an array or object, in order */
	size_t count;
} Node;

typedef struct Expansion
{
	ConnectSchemas *schemas;
	Arena *arena;
	bool null_is_bytes;
	const char *failure; /* NULL: none */
} Expansion;

/* ---- Reading ---- */

static bool
is_number(Slice text, bool *is_integer)
{
	const char *at = text.data;
	const char *end = at + text.len;
	const char *digits;

	*is_integer = true;
	at += at < end && *at == '-';
	digits = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (at == digits || (*digits == '0' && at > digits + 1))
		return false;
	if (at < end && *at == '.')
	{
		*is_integer = false;
		for (digits = ++at; at < end && *at >= '0' && *at <= '9';)
			at++;
		if (at == digits)
			return false;
	}
	if (at < end && (*at == 'e' || *at == 'E'))
	{
		*is_integer = false;
		at++;
		at += at < end && (*at == '-' || *at == '+');
		for (digits = at; at < end && *at >= '0' && *at <= '9';)
			at++;
		if (at == digits)
			return false;
	}
	return at == end;
}

static bool
read_literal(Slice text, Node *node)
{
	bool is_integer;
	bool boolean;

	if (slice_equal(text, slice_from("null")))
		node->kind = NODE_NULL;
	else if (connect_read_boolean(text, &boolean))
	{
		node->kind = NODE_BOOLEAN;
		node->integer = boolean;
	}
	else if (!is_number(text, &is_integer))
		return false;
	else if (!is_integer)
	{
		node->kind = NODE_DOUBLE;
		return connect_read_double(text, &node->number) &&
		       node->number - node->number == 0;
	}
	else if (!connect_read_int64(text, &node->integer))
		node->kind = NODE_BIG;
	else
		node->kind = node->integer >= INT32_MIN && node->integer <= INT32_MAX ? NODE_INT
		                                                                      : NODE_LONG;
	return true;
}

static bool read_node(Expansion *expansion, Scan *scan, int depth, Node *node);

/* The node to fill next: a new one, or that of the same name, whose value is replaced. */
static Node *
next_item(Arena *arena, Node *parent, const char *name, size_t *room)
{
	for (size_t i = 0; name != NULL && i < parent->count; i++)
		if (strcmp(parent->items[i].name, name) == 0)
			return &parent->items[i];
	if (parent->count == *room)
	{
		Node *items;

		*room = *room * 2 + 4;
		items = arena_alloc(arena, *room * sizeof *items);
		if (parent->count > 0)
			memcpy(items, parent->items, parent->count * sizeof *items);
		parent->items = items;
	}
	return &parent->items[parent->count++];
}

static bool
read_items(Expansion *expansion, Scan *scan, int depth, Node *node)
{
	bool is_object = node->kind == NODE_OBJECT;
	bool first = true;
	bool more;
	size_t room = 0;

	if (depth == MAX_DEPTH)
		return false;
	for (;;)
	{
		const char *name = NULL;
		Slice quoted;
		Node item = { .kind = NODE_NULL };

		if (is_object ? !scan_member(scan, &first, &quoted, &more)
		              : !scan_item(scan, &first, &more))
			return false;
		if (!more)
			return scan->at[-1] == (is_object ? '}' : ']');
		if ((is_object && !connect_read_text(quoted, expansion->arena, &name)) ||
		    !read_node(expansion, scan, depth + 1, &item))
			return false;
		item.name = name;
		*next_item(expansion->arena, node, name, &room) = item;
	}
}

static bool
read_node(Expansion *expansion, Scan *scan, int depth, Node *node)
{
	char c = scan_peek(scan);
	Slice text;

	if (c == '{' || c == '[')
	{
		scan->at++;
		node->kind = c == '{' ? NODE_OBJECT : NODE_ARRAY;
		return read_items(expansion, scan, depth, node);
	}
	if (!scan_value(scan, &text))
		return false;
	if (c != '"')
		return read_literal(text, node);
	node->kind = NODE_STRING;
	return connect_read_string(text, expansion->arena, &node->text);
}

/* ---- Schemas ---- */

static const ConnectSchema *node_schema(Expansion *expansion, const char *name,
                                        const Node *node);

static const ConnectSchema *
cannot(Expansion *expansion, const char *why)
{
	expansion->failure = why;
	return NULL;
}

/* left with what only right has; a field that was null takes right's type.  As there,
 * what was merged is no longer optional. */
static const ConnectSchema *
merge(ConnectSchemas *schemas, const ConnectSchema *left, const ConnectSchema *right)
{
	if (left == right)
		return left;
	left = connect_schema_optional(schemas, left, false);
	for (size_t i = 0; i < right->field_count; i++)
	{
		const ConnectField *field = &right->fields[i];
		int at = connect_schema_find(left, field->name);

		if (at < 0)
			left = connect_schema_append(schemas, left, field->name, field->schema);
		else if (left->fields[at].schema->type == CONNECT_BYTES &&
		         field->schema->type != CONNECT_BYTES)
			left =
				connect_schema_replace(schemas, left, (size_t) at, NULL, field->schema);
	}
	return left;
}

/* Jackson's own kinds: all numbers are one. */
static NodeKind
broad_kind(NodeKind kind)
{
	return kind == NODE_LONG || kind == NODE_BIG || kind == NODE_DOUBLE ? NODE_INT : kind;
}

/* The first element that is not null; elements must be alike.  NULL: there is none, or a
 * failure. */
static const Node *
array_sample(Expansion *expansion, const Node *array)
{
	const Node *sample = NULL;

	for (size_t i = 0; i < array->count; i++)
	{
		const Node *item = &array->items[i];

		if (item->kind == NODE_NULL)
			continue;
		if (sample == NULL)
			sample = item;
		if (broad_kind(item->kind) != broad_kind(sample->kind) ||
		    (broad_kind(item->kind) == NODE_INT && item->kind != sample->kind &&
		     (item->kind == NODE_INT || item->kind == NODE_LONG ||
		      sample->kind == NODE_INT || sample->kind == NODE_LONG)))
		{
			(void) cannot(expansion, "an array has elements of different types");
			return NULL;
		}
	}
	return sample;
}

static const ConnectSchema *
item_schema(Expansion *expansion, const char *name, const Node *array)
{
	const Node *sample = array_sample(expansion, array);
	const ConnectSchema *schema = NULL;
	bool has_null = false;

	if (expansion->failure != NULL)
		return NULL;
	if (sample == NULL)
		return expansion->null_is_bytes
		           ? connect_schema_plain(expansion->schemas, CONNECT_BYTES, true)
		           : cannot(expansion, "an array has nothing but nulls");
	if (sample->kind != NODE_OBJECT)
	{
		schema = node_schema(expansion, NULL, sample);
		return schema != NULL || expansion->failure != NULL
		           ? schema
		           : cannot(expansion, "an array has an element without a type");
	}
	for (size_t i = 0; i < array->count; i++)
	{
		const ConnectSchema *element;

		has_null = has_null || array->items[i].kind == NODE_NULL;
		if (array->items[i].kind != NODE_OBJECT)
			continue;
		element = node_schema(expansion, name, &array->items[i]);
		if (element == NULL)
			return NULL;
		schema = schema == NULL ? element : merge(expansion->schemas, schema, element);
	}
	if (has_null) /* where Debezium could not convert the null */
		schema = connect_schema_optional(expansion->schemas, schema, true);
	return schema;
}

static const ConnectSchema *
object_schema(Expansion *expansion, const char *name, const Node *object)
{
	const ConnectSchema *schema =
		connect_schema_struct(expansion->schemas, name, 0, true);
	ConnectSchema draft = *schema;
	ConnectField *fields =
		arena_alloc(expansion->arena, (object->count + 1) * sizeof *fields);

	draft.fields = fields;
	for (size_t i = 0; i < object->count; i++)
	{
		const Node *item = &object->items[i];
		const char *below =
			name == NULL || name[strspn(name, " \t\r\n")] == '\0'
				? item->name
				: arena_printf(expansion->arena, "%s.%s", name, item->name);
		const ConnectSchema *field = node_schema(expansion, below, item);

		if (expansion->failure != NULL)
			return NULL;
		if (field != NULL && *item->name == '\0')
			return cannot(expansion, "a field has an empty name");
		if (field != NULL)
			fields[draft.field_count++] =
				(ConnectField){ .name = item->name, .schema = field };
	}
	return connect_schema_intern(expansion->schemas, &draft);
}

/* NULL without a failure: nothing can be said, the field is left out. */
static const ConnectSchema *
node_schema(Expansion *expansion, const char *name, const Node *node)
{
	static const ConnectType types[] = {
		[NODE_NULL] = CONNECT_BYTES,     [NODE_BOOLEAN] = CONNECT_BOOLEAN,
		[NODE_INT] = CONNECT_INT32,      [NODE_LONG] = CONNECT_INT64,
		[NODE_DOUBLE] = CONNECT_FLOAT64, [NODE_STRING] = CONNECT_STRING,
	};
	ConnectSchema draft = { .type = CONNECT_ARRAY, .optional = true };

	switch (node->kind)
	{
		case NODE_OBJECT:
			return object_schema(expansion, name, node);
		case NODE_ARRAY:
			if (node->count == 0)
				return NULL;
			draft.items = item_schema(expansion, name, node);
			return draft.items == NULL
			           ? NULL
			           : connect_schema_intern(expansion->schemas, &draft);
		case NODE_BIG:
			return cannot(expansion, "a number has more than 64 bits");
		case NODE_NULL:
			if (!expansion->null_is_bytes)
				return NULL;
			break;
		default:
			break;
	}
	return connect_schema_plain(expansion->schemas, types[node->kind], true);
}

/* ---- Values ---- */

static void print_node(Expansion *expansion, const Node *node,
                       const ConnectSchema *schema, Buf *buf);

static void
print_object(Expansion *expansion, const Node *node, const ConnectSchema *schema,
             Buf *buf)
{
	buf_char(buf, '{');
	for (size_t i = 0; i < schema->field_count; i++)
	{
		static const Node none = { .kind = NODE_NULL };
		const Node *item = &none;

		for (size_t j = 0; j < node->count; j++)
			if (strcmp(node->items[j].name, schema->fields[i].name) == 0)
				item = &node->items[j];
		if (i > 0)
			buf_char(buf, ',');
		buf_slice(buf, schema->fields[i].lead);
		print_node(expansion, item, schema->fields[i].schema, buf);
	}
	buf_char(buf, '}');
}

static void
print_array(Expansion *expansion, const Node *node, const ConnectSchema *schema, Buf *buf)
{
	buf_char(buf, '[');
	for (size_t i = 0; i < node->count; i++)
	{
		if (i > 0)
			buf_char(buf, ',');
		print_node(expansion, &node->items[i], schema->items, buf);
	}
	buf_char(buf, ']');
}

/* Print a value that must be of the schema, which may be another element's. */
static void
print_node(Expansion *expansion, const Node *node, const ConnectSchema *schema, Buf *buf)
{
	static const ConnectType types[] = {
		[NODE_BOOLEAN] = CONNECT_BOOLEAN, [NODE_INT] = CONNECT_INT32,
		[NODE_LONG] = CONNECT_INT64,      [NODE_DOUBLE] = CONNECT_FLOAT64,
		[NODE_STRING] = CONNECT_STRING,   [NODE_ARRAY] = CONNECT_ARRAY,
		[NODE_OBJECT] = CONNECT_STRUCT,
	};
	char number[64];

	if (node->kind == NODE_NULL)
	{
		buf_text(buf, "null");
		return;
	}
	if (node->kind == NODE_BIG || types[node->kind] != schema->type)
	{
		(void) cannot(expansion, "elements of an array have fields of different types");
		return;
	}
	switch (node->kind)
	{
		case NODE_BOOLEAN:
			buf_text(buf, node->integer != 0 ? "true" : "false");
			break;
		case NODE_DOUBLE:
			buf_append(buf,
			           number,
			           (size_t) (number_put_java_double(number, node->number) - number));
			break;
		case NODE_STRING:
			json_string(buf, node->text);
			break;
		case NODE_ARRAY:
			print_array(expansion, node, schema, buf);
			break;
		case NODE_OBJECT:
			print_object(expansion, node, schema, buf);
			break;
		default:
			buf_int64(buf, node->integer);
			break;
	}
}

const char *
outbox_expand(ConnectSchemas *schemas, Arena *arena, const char *name, Slice text,
              bool null_is_bytes, ConnectData *data)
{
	Expansion expansion = { schemas, arena, null_is_bytes, NULL };
	Scan scan = scan_over(text);
	Node node = { .kind = NODE_NULL };
	const ConnectSchema *schema;
	Buf buf = buf_heap();

	if (text.len == 0 || (*text.data != '{' && *text.data != '['))
		return "it does not begin with a bracket";
	if (!read_node(&expansion, &scan, 0, &node))
		return "it is not JSON";
	schema = node_schema(&expansion, name, &node);
	if (expansion.failure != NULL)
		return expansion.failure;
	if (schema == NULL) /* an empty array */
	{
		data->schema = NULL;
		return NULL;
	}
	print_node(&expansion, &node, schema, &buf);
	if (expansion.failure == NULL)
		*data = (ConnectData){
			schema, connect_value_json(arena_slice(arena, (Slice){ buf.data, buf.len }))
		};
	buf_free(&buf);
	return expansion.failure;
}
