// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See json_util.h.
 */
#include "render/json_util.h"

#include <errno.h>

void json_add_u64(struct json_object *obj, const char *key, u64 value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void json_add_word(struct json_object *obj, const char *key, const char *word)
{
	if (word)
		json_object_object_add(obj, key, json_object_new_string(word));
}

void json_add_built(struct json_object *obj, const char *key, struct strbuf *sb)
{
	json_object_object_add(obj, key, json_object_new_string(strbuf_cstr(sb)));
	strbuf_free(sb);
}

void json_add_text(struct json_object *obj, const char *key, const char *text, size_t len)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_escaped(&sb, text, len);
	json_add_built(obj, key, &sb);
}

void json_add_hex(struct json_object *obj, const char *key, u64 value)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_put_hex(&sb, value);
	json_add_built(obj, key, &sb);
}

int json_put_line(struct strbuf *sb, struct json_object *obj)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (text) {
		strbuf_put(sb, text, len);
		strbuf_putc(sb, '\n');
	}
	json_object_put(obj);
	return text && !sb->failed ? 0 : -ENOMEM;
}
