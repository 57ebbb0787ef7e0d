// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Temporary trees for tests: see tree.h. Any failure here ends the test program.
 */
#include "tree.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

static char *join(const char *root, const char *path)
{
	char *whole;

	must(asprintf(&whole, "%s/%s", root, path) >= 0, path);
	return whole;
}

char *tree_new(void)
{
	char template[] = "/tmp/skbtrail-test-XXXXXX";

	must(mkdtemp(template) != NULL, template);
	return strdup(template);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_free(char *root)
{
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(root);
}

void tree_dir(const char *root, const char *path)
{
	char *whole = join(root, path);
	size_t i;

	for (i = strlen(root) + 1; whole[i]; i++) {
		if (whole[i] != '/')
			continue;
		whole[i] = '\0';
		mkdir(whole, 0755);
		whole[i] = '/';
	}
	mkdir(whole, 0755);
	must(!access(whole, F_OK), whole);
	free(whole);
}

void tree_file(const char *root, const char *path, const char *text)
{
	char *whole = join(root, path);
	char *parent = strdup(path);
	FILE *file;

	*strrchr(parent, '/') = '\0';
	tree_dir(root, parent);
	free(parent);
	file = fopen(whole, "we");
	must(file && fputs(text, file) >= 0 && !fclose(file), whole);
	free(whole);
}

char *tree_read(const char *root, const char *path)
{
	struct strbuf text = STRBUF_INIT;
	char *whole = join(root, path);
	int ret = strbuf_read_file(&text, whole, 1 << 24);

	free(whole);
	strbuf_putc(&text, '\0');
	if (!ret && !text.failed)
		return text.data;
	strbuf_free(&text);
	return NULL;
}

int tree_has(const char *root, const char *path)
{
	char *whole = join(root, path);
	int found = !access(whole, F_OK);

	free(whole);
	return found;
}

char *tree_tests_file(const char *path, size_t *len)
{
	const char *const places[] = { getenv("SKBTRAIL_TESTS"), "tests", "../tests",
				       "../../tests" };
	char *text = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places) && !text; i++)
		if (places[i])
			text = tree_read(places[i], path);
	*len = text ? strlen(text) : 0;
	return text;
}
