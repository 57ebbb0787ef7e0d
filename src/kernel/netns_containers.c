// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What containers are called: see netns_containers.h.
 */
#include "kernel/netns_containers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/netns.h"

#define JSON_DEPTH 32
#define CONFIG_BYTES_MAX (1U << 20) /* of one container */
#define INDEX_BYTES_MAX (8U << 20)  /* of all containers of a storage */
#define ID_MAX 128U

#define DOCKER "/var/lib/docker/containers"
#define CONTAINERD "/run/containerd/io.containerd.runtime.v2.task"
#define STORAGE_RUN "/run/containers/storage/overlay-containers"
#define STORAGE_LIB "/var/lib/containers/storage/overlay-containers"

void containers_free(struct containers *c)
{
	size_t i;

	for (i = 0; i < c->nr; i++) {
		free(c->list[i].name);
		free(c->list[i].id);
		free(c->list[i].netns);
	}
	free(c->list);
	*c = (struct containers){ 0 };
}

static int open_folder(const char *root, const char *path)
{
	char whole[512];

	if ((size_t)snprintf(whole, sizeof(whole), "%s%s", root, path) >= sizeof(whole))
		return -1;
	return open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Open a file some folders below @dir; no part of @path may be a symbolic link. */
static int open_below(int dir, const char *path)
{
	const char *slash = strchr(path, '/');
	char part[NAME_MAX + 1];
	int next, fd;

	if (!slash)
		return openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if ((size_t)(slash - path) >= sizeof(part))
		return -1;
	memcpy(part, path, (size_t)(slash - path));
	part[slash - path] = '\0';
	next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return -1;
	fd = open_below(next, slash + 1);
	close(next);
	return fd;
}

/* Read a plain file as a whole, NUL-terminated. */
static bool read_below(struct containers *c, struct strbuf *text, int dir, const char *path,
		       u32 max)
{
	int fd = open_below(dir, path);
	struct stat st;
	ssize_t got = -1;

	if (max > c->bytes_left)
		max = c->bytes_left;
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= (off_t)max &&
	    strbuf_reserve(text, (size_t)st.st_size + 1)) {
		got = read(fd, text->data, (size_t)st.st_size);
		text->len = got > 0 ? (size_t)got : 0;
		c->bytes_left -= (u32)text->len;
	}
	close(fd);
	return got > 0 && *strbuf_cstr(text);
}

static struct json_object *json_below(struct containers *c, int dir, const char *path, u32 max)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *json = NULL;
	struct strbuf text = STRBUF_INIT;

	if (tokener && read_below(c, &text, dir, path, max)) {
		json = json_tokener_parse_ex(tokener, text.data, (int)text.len);
		if (json_tokener_get_error(tokener) != json_tokener_success) {
			json_object_put(json);
			json = NULL;
		}
	}
	if (tokener)
		json_tokener_free(tokener);
	strbuf_free(&text);
	return json;
}

/* A member of an object; NULL when it is none or not of that type. */
static struct json_object *member(struct json_object *json, const char *key, json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(json, json_type_object) ||
	    !json_object_object_get_ex(json, key, &value))
		return NULL;
	return json_object_is_type(value, type) ? value : NULL;
}

/* Text of a length that can be a name; NULL when there is none. */
static const char *text_of(struct json_object *json)
{
	const char *text = json ? json_object_get_string(json) : NULL;

	if (!text || !*text || strlen(text) != (size_t)json_object_get_string_len(json) ||
	    strlen(text) > NETNS_NAME_MAX)
		return NULL;
	return text;
}

static const char *text_member(struct json_object *json, const char *key)
{
	return text_of(member(json, key, json_type_string));
}

static s32 pid_member(struct json_object *json, const char *key)
{
	struct json_object *value = member(json, key, json_type_int);
	int64_t pid = value ? json_object_get_int64(value) : 0;

	return pid > 0 && pid <= INT32_MAX ? (s32)pid : 0;
}

static s32 pid_below(struct containers *c, int dir, const char *path)
{
	struct strbuf text = STRBUF_INIT;
	unsigned long pid = 0;

	if (read_below(c, &text, dir, path, 32) && isdigit((u8)text.data[0]))
		pid = strtoul(text.data, NULL, 10);
	strbuf_free(&text);
	return pid <= INT32_MAX ? (s32)pid : 0;
}

/*
 * The file of a netns, if it is where runtimes keep them: a path out of a container's description must
 * not make us open anything else. Return: to be freed, or NULL.
 */
static char *netns_file(const char *root, const char *path)
{
	static const char *const folders[] = { "/run/netns/", "/run/docker/netns/" };
	const char *file;
	char *whole = NULL;
	size_t i;

	if (!path)
		return NULL;
	if (!strncmp(path, "/var/run/", 9))
		path += 4;
	for (i = 0; i < ARRAY_SIZE(folders) && !whole; i++) {
		if (strncmp(path, folders[i], strlen(folders[i])))
			continue;
		file = path + strlen(folders[i]);
		if (*file && *file != '.' && !strchr(file, '/') &&
		    asprintf(&whole, "%s%s", root, path) < 0)
			return NULL;
	}
	return whole;
}

/* A name that looks like one that we make ourselves says where it comes from. */
static char *safe_name(const char *runtime, const char *name)
{
	bool ours = !strcmp(name, "host") || !strncmp(name, "pid:", 4) ||
		    !strncmp(name, "netns:", 6);
	char *copy;

	return asprintf(&copy, "%s%s%.*s", ours ? runtime : "", ours ? ":" : "",
			(int)NETNS_NAME_MAX, name) < 0 ?
		       NULL :
		       copy;
}

struct found {
	const char *runtime;
	const char *name; /* NULL: none */
	const char *id;
	const char *netns; /* as the runtime says it; NULL: not said */
	s32 pid;
};

static void add(struct containers *c, const char *root, const struct found *f)
{
	struct container new = { .pid = f->pid };
	struct container *list = c->list;

	if (!f->name || (!f->pid && !f->netns))
		return;
	if (c->nr == c->cap) {
		list = reallocarray(list, c->cap ? c->cap * 2 : 16, sizeof(*list));
		if (!list)
			return;
		c->list = list;
		c->cap = c->cap ? c->cap * 2 : 16;
	}
	new.name = safe_name(f->runtime, f->name);
	new.id = strdup(f->id);
	new.netns = netns_file(root, f->netns);
	c->list[c->nr++] = new;
	if (new.name &&new.id && (new.netns || new.pid))
		return;
	c->nr--;
	free(new.name);
	free(new.id);
	free(new.netns);
}

/* What is done with the folder @id in @dir. */
typedef void (*folder_fn)(struct containers *c, const char *root, int dir, const char *id,
			  void *arg);

static void each_folder(struct containers *c, const char *root, int dir, folder_fn fn, void *arg)
{
	int copy = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (copy >= 0 && !stream)
		close(copy);
	while (stream && (entry = readdir(stream)) && c->looked_at < CONTAINERS_MAX) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) > ID_MAX ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		c->looked_at++;
		fn(c, root, dir, entry->d_name, arg);
	}
	if (stream)
		closedir(stream);
}

/* <id>/config.v2.json: moby/daemon/container, struct Container as JSON. */
static void docker_container(struct containers *c, const char *root, int dir, const char *id,
			     void *arg)
{
	struct json_object *json, *network;
	struct found f = { .runtime = "docker", .id = id };
	char path[ID_MAX + 32];

	(void)arg;
	snprintf(path, sizeof(path), "%s/config.v2.json", id);
	json = json_below(c, dir, path, CONFIG_BYTES_MAX);
	network = member(json, "NetworkSettings", json_type_object);
	f.name = text_member(json, "Name");
	if (f.name && *f.name == '/')
		f.name = f.name[1] ? f.name + 1 : NULL;
	f.pid = pid_member(member(json, "State", json_type_object), "Pid");
	f.netns = text_member(network, "SandboxKey");
	add(c, root, &f);
	json_object_put(json);
}

/* The path of the netns that an OCI config.json has the container join. */
static const char *oci_netns(struct json_object *config)
{
	struct json_object *all =
		member(member(config, "linux", json_type_object), "namespaces", json_type_array);
	size_t i, nr = all ? json_object_array_length(all) : 0;

	for (i = 0; i < nr && i < 32; i++) {
		struct json_object *ns = json_object_array_get_idx(all, i);
		const char *type = text_member(ns, "type");

		if (type && !strcmp(type, "network"))
			return text_member(ns, "path");
	}
	return NULL;
}

/*
 * The name in the annotations of an OCI config.json: of the pod where there is one, for a netns is the
 * pod's. @name: memory for one made of two.
 */
static const char *oci_name(struct json_object *config, char *name, size_t size)
{
	static const struct {
		const char *pod, *space;
	} pods[] = {
		{ "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.sandbox-namespace" },
		{ "io.kubernetes.pod.name", "io.kubernetes.pod.namespace" },
	};
	static const char *const names[] = { "io.kubernetes.cri.container-name",
					     "io.kubernetes.container.name", "nerdctl/name" };
	struct json_object *notes = member(config, "annotations", json_type_object);
	const char *found = NULL, *space;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pods) && !found; i++) {
		found = text_member(notes, pods[i].pod);
		space = text_member(notes, pods[i].space);
		if (found && space) {
			snprintf(name, size, "%s/%s", space, found);
			return name;
		}
	}
	for (i = 0; i < ARRAY_SIZE(names) && !found; i++)
		found = text_member(notes, names[i]);
	return found;
}

/* An id that a person did not choose. */
static bool is_hash(const char *id)
{
	return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

/* <id>/init.pid and the OCI bundle's <id>/config.json. */
static void containerd_container(struct containers *c, const char *root, int dir, const char *id,
				 void *arg)
{
	struct found f = { .runtime = "containerd", .id = id };
	char path[ID_MAX + 32], name[2 * NETNS_NAME_MAX + 2];
	struct json_object *config;

	(void)arg;
	snprintf(path, sizeof(path), "%s/init.pid", id);
	f.pid = pid_below(c, dir, path);
	snprintf(path, sizeof(path), "%s/config.json", id);
	config = json_below(c, dir, path, CONFIG_BYTES_MAX);
	f.name = oci_name(config, name, sizeof(name));
	f.netns = oci_netns(config);
	if (!f.name && !is_hash(id))
		f.name = id;
	add(c, root, &f);
	json_object_put(config);
}

/* A namespace of containerd: "k8s.io", "moby", "default". */
static void containerd_space(struct containers *c, const char *root, int dir, const char *id,
			     void *arg)
{
	int space = openat(dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	each_folder(c, root, space, containerd_container, arg);
	if (space >= 0)
		close(space);
}

/* What containers/storage keeps besides the containers' folders. */
struct storage {
	int lib; /* the folder that outlives a boot */
	struct json_object *index[4];
	size_t nr;
};

static void storage_index(struct containers *c, struct storage *s, int dir)
{
	/* the second: those that "podman run --rm" started */
	static const char *const files[] = { "containers.json", "volatile-containers.json" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files) && dir >= 0; i++) {
		s->index[s->nr] = json_below(c, dir, files[i], INDEX_BYTES_MAX);
		if (s->index[s->nr])
			s->nr++;
	}
}

static const char *storage_name(const struct storage *s, const char *id)
{
	size_t i, k, nr;

	for (i = 0; i < s->nr; i++) {
		nr = json_object_is_type(s->index[i], json_type_array) ?
			     json_object_array_length(s->index[i]) :
			     0;
		for (k = 0; k < nr && k < CONTAINERS_MAX; k++) {
			struct json_object *one = json_object_array_get_idx(s->index[i], k);
			struct json_object *names = member(one, "names", json_type_array);
			const char *its = text_member(one, "id");

			if (its && !strcmp(its, id))
				return names ? text_of(json_object_array_get_idx(names, 0)) : NULL;
		}
	}
	return NULL;
}

/* <id>/userdata/pidfile, and config.json there or in the folder that outlives a boot. */
static void storage_container(struct containers *c, const char *root, int dir, const char *id,
			      void *arg)
{
	struct found f = { .runtime = "podman", .id = id };
	char path[ID_MAX + 32], name[2 * NETNS_NAME_MAX + 2];
	struct storage *s = arg;
	struct json_object *config;

	snprintf(path, sizeof(path), "%s/userdata/pidfile", id);
	f.pid = pid_below(c, dir, path);
	snprintf(path, sizeof(path), "%s/userdata/config.json", id);
	config = json_below(c, dir, path, CONFIG_BYTES_MAX);
	if (!config && s->lib >= 0)
		config = json_below(c, s->lib, path, CONFIG_BYTES_MAX);
	f.name = oci_name(config, name, sizeof(name));
	if (!f.name)
		f.name = storage_name(s, id);
	f.netns = oci_netns(config);
	add(c, root, &f);
	json_object_put(config);
}

static void find_storage(struct containers *c, const char *root)
{
	int run = open_folder(root, STORAGE_RUN);
	struct storage s = { .lib = open_folder(root, STORAGE_LIB) };
	size_t i;

	storage_index(c, &s, s.lib);
	storage_index(c, &s, run);
	each_folder(c, root, run, storage_container, &s);
	for (i = 0; i < s.nr; i++)
		json_object_put(s.index[i]);
	if (s.lib >= 0)
		close(s.lib);
	if (run >= 0)
		close(run);
}

void containers_find(struct containers *c, const char *root)
{
	int docker = open_folder(root, DOCKER), containerd = open_folder(root, CONTAINERD);

	*c = (struct containers){ .bytes_left = CONTAINERS_BYTES_MAX };
	each_folder(c, root, docker, docker_container, NULL);
	each_folder(c, root, containerd, containerd_space, NULL);
	find_storage(c, root);
	if (docker >= 0)
		close(docker);
	if (containerd >= 0)
		close(containerd);
}

bool container_owns(const char *id, const char *cgroup_text)
{
	size_t len = strlen(id);
	const char *at = cgroup_text;

	/* "docker-ID.scope", "libpod-ID", "/kubepods/pod9/ID", "cri-containerd:ID" */
	for (; len && (at = strstr(at, id)); at++)
		if (at > cgroup_text && strchr("/-:", at[-1]) && strchr("/.\n", at[len]))
			return true;
	return false;
}
