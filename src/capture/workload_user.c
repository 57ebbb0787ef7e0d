// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user behind sudo.
 *
 * In:  SUDO_UID, SUDO_GID and the user database.
 * Out: a process that runs as that user, with the groups of that user and no way back.
 */
#include "capture/workload_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse_id(const char *text, unsigned int *id)
{
	unsigned long value;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value >= (unsigned int)-1)
		return false;
	*id = (unsigned int)value;
	return true;
}

int user_from_sudo(struct user *user, struct error *err)
{
	const char *uid_text = getenv("SUDO_UID");
	const char *gid_text = getenv("SUDO_GID");
	const struct passwd *entry;
	char number[16];

	if (geteuid() || !uid_text)
		return 0;
	if (!parse_id(uid_text, &user->uid) || !parse_id(gid_text, &user->gid))
		return error_set(err, EINVAL,
				 "SUDO_UID and SUDO_GID do not name the user to run the "
				 "command as (unset both to run it as root)");
	if (!user->uid)
		return 0;
	entry = getpwuid(user->uid);
	snprintf(number, sizeof(number), "%u", user->uid);
	user->name = strdup(entry ? entry->pw_name : number);
	user->home = strdup(entry && entry->pw_dir ? entry->pw_dir : "/");
	if (!user->name || !user->home)
		return error_errno(err, ENOMEM, "cannot look up the user who called sudo");
	return 0;
}

int user_become(const struct user *user)
{
	if (getpwuid(user->uid) ? initgroups(user->name, user->gid) : setgroups(0, NULL))
		return errno;
	if (setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return errno;
	if (!setresuid((uid_t)-1, 0, (uid_t)-1))
		return EPERM; /* root could be had back: better no command at all */
	if (setenv("HOME", user->home, 1) || setenv("USER", user->name, 1) ||
	    setenv("LOGNAME", user->name, 1))
		return errno;
	return 0;
}

void user_free(struct user *user)
{
	free(user->name);
	free(user->home);
	memset(user, 0, sizeof(*user));
}
