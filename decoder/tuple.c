/*
 * tuple.c
 *		heap tuples to the wire's tuples.
 *
 * Every writer produces the bytes of the type's send function, with two
 * exceptions that the wire defines: text is UTF-8 whatever the client's encoding,
 * and enums are their label, jsonb its text.  Datums on the way may be any of
 *
 *		external on disk	unchanged by this row, never sent: 'u'
 *		indirect			reassembled from WAL by the server: followed
 *		compressed			decompressed, in the change's context
 *		short header		read in place, or copied where alignment matters
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "access/detoast.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varbit.h"

#include "buffer.h"
#include "numeric.h"
#include "tuple.h"

/* A StringInfo beyond this is given back after the row. */
#define TEXT_KEEP (1024 * 1024)

void
tuple_writer_init(TupleWriter *writer, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	text_init(&writer->converter);
	writer->label_missed = false;
	writer->scratch = context_buf(context);
	initStringInfo(&writer->text);
	writer->values = palloc(MaxTupleAttributeNumber * sizeof(Datum));
	writer->nulls = palloc(MaxTupleAttributeNumber * sizeof(bool));
	MemoryContextSwitchTo(old);
}

/* ---- Varlena ---- */

/* Follow and decompress; what returns has a plain header of one or four bytes. */
static struct varlena *
flatten(Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL_INDIRECT(value))
	{
		struct varatt_indirect pointer;

		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		value = pointer.pointer;
	}
	if (VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value))
		value = detoast_attr(value);
	return value;
}

/*
 * The same with a four-byte header, so that what follows is aligned.  A copy lives in
 * scratch until the next one; an element of an array, which may lie there itself, is
 * copied elsewhere.
 */
static struct varlena *
flatten_aligned(TupleWriter *writer, Datum datum, bool is_element)
{
	struct varlena *value = flatten(datum);
	size_t len;
	char *copy;

	if (!VARATT_IS_SHORT(value))
		return value;
	if (is_element)
		return detoast_attr(value);
	len = VARSIZE_SHORT(value) - VARHDRSZ_SHORT;
	buf_reset(&writer->scratch);
	copy = buf_reserve(&writer->scratch, len + VARHDRSZ);
	SET_VARSIZE(copy, len + VARHDRSZ);
	memcpy(copy + VARHDRSZ, VARDATA_SHORT(value), len);
	return (struct varlena *) copy;
}

/* ---- Scalars ---- */

static void
write_int8_wide(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	buf_u64(out, (uint64) DatumGetInt64(datum));
}

static void
write_int4_wide(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	buf_u32(out, DatumGetUInt32(datum));
}

static void
write_int2_wide(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	buf_u16(out, DatumGetUInt16(datum));
}

static void
write_bool(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	buf_u8(out, DatumGetBool(datum) ? 1 : 0);
}

/* Beyond ASCII a "char" is no text of its own: as charout prints it from 16 on. */
static void
write_char(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	uint8 c = (uint8) DatumGetChar(datum);

	if (IS_HIGHBIT_SET(c))
		buf_printf(out, "\\%03o", c);
	else
		buf_u8(out, c);
}

static void
write_name(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	const char *text = NameStr(*DatumGetName(datum));

	text_append(&writer->converter, out, text, strlen(text));
}

static void
write_uuid(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	buf_append(out, DatumGetPointer(datum), 16);
}

static void
write_interval(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	Interval *interval = DatumGetIntervalP(datum);

	buf_u64(out, (uint64) interval->time);
	buf_u32(out, (uint32) interval->day);
	buf_u32(out, (uint32) interval->month);
}

static void
write_timetz(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	TimeTzADT *time = DatumGetTimeTzADTP(datum);

	buf_u64(out, (uint64) time->time);
	buf_u32(out, (uint32) time->zone);
}

static void
write_text(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	struct varlena *value = flatten(datum);

	text_append(
		&writer->converter, out, VARDATA_ANY(value), (size_t) VARSIZE_ANY_EXHDR(value));
}

static void
write_bytea(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	struct varlena *value = flatten(datum);

	buf_append(out, VARDATA_ANY(value), (size_t) VARSIZE_ANY_EXHDR(value));
}

/* On disk the number of bits is in native byte order. */
static void
write_bits(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	struct varlena *value = flatten(datum);
	const char *payload = VARDATA_ANY(value);
	int32 bits;

	memcpy(&bits, payload, sizeof bits);
	buf_u32(out, (uint32) bits);
	buf_append(
		out, payload + sizeof bits, (size_t) VARSIZE_ANY_EXHDR(value) - sizeof bits);
}

static void
write_numeric(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	struct varlena *value = flatten(datum);

	if (!numeric_append(out, VARDATA_ANY(value), (size_t) VARSIZE_ANY_EXHDR(value)))
		elog(ERROR, "malformed numeric value");
}

static void
write_jsonb(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	Jsonb *value =
		(Jsonb *) flatten_aligned(writer, datum, column->write_element != NULL);

	resetStringInfo(&writer->text);
	(void) JsonbToCString(&writer->text, &value->root, (int) VARSIZE(value));
	text_append(&writer->converter, out, writer->text.data, (size_t) writer->text.len);
	if (writer->text.maxlen > TEXT_KEEP)
	{
		MemoryContext old =
			MemoryContextSwitchTo(GetMemoryChunkContext(writer->text.data));

		pfree(writer->text.data);
		initStringInfo(&writer->text);
		MemoryContextSwitchTo(old);
	}
}

static void
write_enum(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	Oid oid = DatumGetObjectId(datum);
	int low = 0;
	int high = column->label_count - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;
		const EnumLabel *label = &column->labels[middle];

		if (label->oid == oid)
		{
			buf_slice(out, label->text);
			return;
		}
		if (label->oid < oid)
			low = middle + 1;
		else
			high = middle - 1;
	}
	writer->label_missed = true;
}

/* ---- Arrays (array_send) ---- */

static void
write_elements(TupleWriter *writer, const ColumnPlan *column, ArrayType *array, int count,
               Buf *out)
{
	const char *at = ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);

	for (int i = 0; i < count; i++)
	{
		size_t mark = out->len;
		Datum element;

		if (bitmap != NULL && (bitmap[i / 8] & (1 << (i % 8))) == 0)
		{
			buf_u32(out, (uint32) -1);
			continue;
		}
		buf_u32(out, 0);
		element = fetch_att(at, column->element_by_value, column->element_len);
		column->write_element(writer, column, element, out);
		buf_set_u32(out, mark, (uint32) (out->len - mark - sizeof(uint32)));
		at = att_addlength_pointer(at, column->element_len, at);
		at = (const char *) att_align_nominal(at, column->element_align);
	}
}

static void
write_array(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	ArrayType *array = (ArrayType *) flatten_aligned(writer, datum, false);
	int dimensions = ARR_NDIM(array);

	buf_u32(out, (uint32) dimensions);
	buf_u32(out, ARR_HASNULL(array) ? 1 : 0);
	buf_u32(out, ARR_ELEMTYPE(array));
	for (int i = 0; i < dimensions; i++)
	{
		buf_u32(out, (uint32) ARR_DIMS(array)[i]);
		buf_u32(out, (uint32) ARR_LBOUND(array)[i]);
	}
	write_elements(
		writer, column, array, ArrayGetNItems(dimensions, ARR_DIMS(array)), out);
}

/* ---- Everything else: the type's output function ---- */

static void
write_output(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	const char *text;

	if (column->varlena)
		datum = PointerGetDatum(flatten(datum));
	text = OutputFunctionCall(unconstify(FmgrInfo *, &column->output), datum);
	text_append(&writer->converter, out, text, strlen(text));
}

/* What stands for a value under the column's mask, which knows only text. */
static void
write_masked(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	size_t start = out->len;

	column->write_plain(writer, column, datum, out);
	mask_replace(out, start, &column->mask);
}

/* ---- Plans ---- */

typedef struct TypeWriter
{
	Oid type;
	uint16 fixed; /* see ColumnPlan */
	DatumWriter write;
} TypeWriter;

/* clang-format off */
static const TypeWriter type_writers[] = {
	{ BOOLOID,			1, write_bool },
	{ BYTEAOID,			0, write_bytea },
	{ CHAROID,			0, write_char },
	{ NAMEOID,			0, write_name },
	{ INT8OID,			8, write_int8_wide },
	{ INT2OID,			2, write_int2_wide },
	{ INT4OID,			4, write_int4_wide },
	{ TEXTOID,			0, write_text },
	{ OIDOID,			4, write_int4_wide },
	{ JSONOID,			0, write_text },
	{ FLOAT4OID,		4, write_int4_wide },
	{ FLOAT8OID,		8, write_int8_wide },
	{ MONEYOID,			8, write_int8_wide },
	{ BPCHAROID,		0, write_text },
	{ VARCHAROID,		0, write_text },
	{ DATEOID,			4, write_int4_wide },
	{ TIMEOID,			8, write_int8_wide },
	{ TIMESTAMPOID,		8, write_int8_wide },
	{ TIMESTAMPTZOID,	8, write_int8_wide },
	{ INTERVALOID,		0, write_interval },
	{ TIMETZOID,		0, write_timetz },
	{ BITOID,			0, write_bits },
	{ VARBITOID,		0, write_bits },
	{ NUMERICOID,		0, write_numeric },
	{ UUIDOID,			0, write_uuid },
	{ JSONBOID,			0, write_jsonb },
};
/* clang-format on */

static const TypeWriter *
find_writer(Oid type, char type_kind, const char *name)
{
	static const TypeWriter enum_writer = { InvalidOid, 0, write_enum };
	static const TypeWriter citext_writer = { InvalidOid, 0, write_text };

	for (int i = 0; i < (int) lengthof(type_writers); i++)
		if (type_writers[i].type == type)
			return &type_writers[i];
	if (type_kind == TYPTYPE_ENUM)
		return &enum_writer;
	if (strcmp(name, "citext") == 0)
		return &citext_writer;
	elog(ERROR, "no binary form for type \"%s\" (%u)", name, type);
}

void
column_plan_init(ColumnPlan *plan, const RelationColumn *column, MemoryContext context)
{
	plan->varlena = get_typlen(column->base_oid) == -1;
	if (!value_is_binary(column))
	{
		Oid function;
		bool varlena;

		getTypeOutputInfo(column->base_oid, &function, &varlena);
		fmgr_info_cxt(function, &plan->output, context);
		plan->kind = 't';
		plan->write = write_output;
		return;
	}
	plan->kind = 'b';
	if (OidIsValid(column->element_oid))
	{
		plan->write = write_array;
		plan->write_element =
			find_writer(column->element_oid, column->element_kind, column->element_name)
				->write;
		get_typlenbyvalalign(column->element_oid,
		                     &plan->element_len,
		                     &plan->element_by_value,
		                     &plan->element_align);
	}
	else
	{
		const TypeWriter *writer =
			find_writer(column->base_oid, column->type_kind, column->type_name);

		plan->write = writer->write;
		plan->fixed = writer->fixed;
	}
}

void
column_plan_mask(ColumnPlan *plan, ColumnMask mask)
{
	if (mask.rule == NULL || !mask.at_source)
		return;
	plan->mask = mask;
	plan->write_plain = plan->write;
	plan->write = write_masked;
}

/* ---- Tuples ---- */

/* An integer of a known width: one reservation, no call. */
static inline void
write_fixed(char kind, uint16 width, Datum datum, Buf *out)
{
	char *at = buf_reserve(out, 1 + sizeof(uint32) + sizeof(uint64));
	uint32 length = __builtin_bswap32(width);

	*at = kind;
	memcpy(at + 1, &length, sizeof length);
	at += 1 + sizeof length;
	switch (width)
	{
		case 1:
			*at = DatumGetBool(datum) ? 1 : 0;
			break;
		case 2:
		{
			uint16 value = __builtin_bswap16(DatumGetUInt16(datum));

			memcpy(at, &value, sizeof value);
			break;
		}
		case 4:
		{
			uint32 value = __builtin_bswap32(DatumGetUInt32(datum));

			memcpy(at, &value, sizeof value);
			break;
		}
		default:
		{
			uint64 value = __builtin_bswap64((uint64) DatumGetInt64(datum));

			memcpy(at, &value, sizeof value);
			break;
		}
	}
	out->len += 1 + sizeof length + width;
}

void
tuple_write_datum(TupleWriter *writer, const ColumnPlan *column, Datum datum, Buf *out)
{
	size_t mark;

	if (column->fixed != 0)
	{
		write_fixed(column->kind, column->fixed, datum, out);
		return;
	}
	if (column->varlena && VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(datum)))
	{
		buf_char(out, 'u');
		return;
	}
	(void) buf_reserve(out, 64);
	buf_char(out, column->kind);
	mark = out->len;
	buf_u32(out, 0);
	column->write(writer, column, datum, out);
	buf_set_u32(out, mark, (uint32) (out->len - mark - sizeof(uint32)));
}

bool
tuple_write(TupleWriter *writer, const ColumnPlan *columns, int count,
            TupleDesc descriptor, HeapTuple tuple, Buf *out)
{
	size_t start = out->len;

	heap_deform_tuple(tuple, descriptor, writer->values, writer->nulls);
	buf_u16(out, (uint16) count);
	for (int i = 0; i < count; i++)
	{
		const ColumnPlan *column = &columns[i];

		if (writer->nulls[column->at])
			buf_char(out, 'n');
		else
			tuple_write_datum(writer, column, writer->values[column->at], out);
		if (unlikely(out->len - start > TUPLE_BYTES_MAX))
			return false;
	}
	return true;
}
