/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory tree in a temporary folder that stands for /, for tests of what reads /proc and /sys.
 */
#ifndef SKBTRAIL_TESTS_TREE_H
#define SKBTRAIL_TESTS_TREE_H

#include <stddef.h>

/** tree_new - make an empty one; Return: its path, owned by the caller until tree_free() */
char *tree_new(void);
/** tree_free - remove it and all that is in it */
void tree_free(char *root);
/** tree_dir - make a folder and its parents */
void tree_dir(const char *root, const char *path);
/** tree_file - make a file with that text, and its parents */
void tree_file(const char *root, const char *path, const char *text);
/** tree_read - a file's text, NUL-terminated; Return: to be freed, NULL when it cannot be read */
char *tree_read(const char *root, const char *path);
/** tree_has - whether something of that name is there */
int tree_has(const char *root, const char *path);
/**
 * tree_tests_file - the text of a file below tests/, such as "fixtures/kernels/6.18.json"
 *
 * Return: to be freed; NULL when tests/ cannot be found (then the test is to be skipped).
 */
char *tree_tests_file(const char *path, size_t *len);

#endif
