/*
 * headers.c
 *		the values of headers, as header.converter writes them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kafka/headers.h"

void
kafka_header_text(const Config *config, const char *text, Buf *buf)
{
	bool enveloped = config->header_schemas_enable;

	if (config->header_converter == HEADER_SIMPLE)
	{
		buf_text(buf, text);
		return;
	}
	if (enveloped)
		buf_text(buf,
		         "{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":");
	json_string(buf, slice_from(text));
	if (enveloped)
		buf_char(buf, '}');
}

void
kafka_header_key(const Config *config, const RenderPlan *plan, Slice key, Buf *buf)
{
	bool enveloped =
		config->header_converter == HEADER_JSON && config->header_schemas_enable;

	if (config->header_converter == HEADER_SIMPLE && render_header_key(plan, key, buf))
		return;
	if (enveloped)
	{
		buf_text(buf, "{\"schema\":");
		render_key_schema(plan, buf);
		buf_text(buf, ",\"payload\":");
	}
	buf_slice(buf, key);
	if (enveloped)
		buf_char(buf, '}');
}
