/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of JSON objects, for the renderers.
 */
#ifndef SKBTRAIL_RENDER_JSON_UTIL_H
#define SKBTRAIL_RENDER_JSON_UTIL_H

#include <json-c/json.h>

#include "base/strbuf.h"

void json_add_u64(struct json_object *obj, const char *key, u64 value);

/** json_add_word - text of our own; nothing for NULL */
void json_add_word(struct json_object *obj, const char *key, const char *word);

/**
 * json_add_text - text that may hold any byte
 *
 * JSON wants valid UTF-8, so what is not is escaped as on screen.
 */
void json_add_text(struct json_object *obj, const char *key, const char *text, size_t len);

/** json_add_hex - a string "0x..." */
void json_add_hex(struct json_object *obj, const char *key, u64 value);

/** json_add_built - what was put into @sb, which is given up */
void json_add_built(struct json_object *obj, const char *key, struct strbuf *sb);

/** json_put_line - append an object as a line and give it up. Return: 0 or -ENOMEM */
int json_put_line(struct strbuf *sb, struct json_object *obj);

#endif
