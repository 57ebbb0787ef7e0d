// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of containers, from files as Docker, containerd, Podman and CRI-O write them (shortened).
 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/netns_containers.h"
#include "kernel/netns_targets.h"
#include "tree.h"

#define ID1 "98ca8f25f1641d4b4f3c2cb360eaf8763abbf000541679f44c5c782eadbbfdcf"
#define ID2 "579635db3532e954d07927bdc32bd435bd082f03a0696ded072f04d762a18775"
#define ID3 "6a825448c5ef07ac0c3b99532b18bdec0e1d0bb1eb41b4672d570634a1409a85"
#define UUID "8a1f5e2c-77a0-4c6d-9f31-0d2b6c1e4a55"

#define DOCKER "var/lib/docker/containers/"
#define CONTAINERD "run/containerd/io.containerd.runtime.v2.task/"
#define RUN "run/containers/storage/overlay-containers/"
#define LIB "var/lib/containers/storage/overlay-containers/"

#define DOCKER_JSON(name, pid, key)                                                                   \
	"{\"StreamConfig\":{},\"State\":{\"Running\":true,\"Paused\":false,\"Pid\":" pid              \
	",\"ExitCode\":0,\"StartedAt\":\"2024-03-22T10:11:12.1Z\",\"Health\":null},\"ID\":\"" ID1     \
	"\",\"Config\":{\"Hostname\":\"98ca8f25f164\"},\"NetworkSettings\":{\"Bridge\":\"\","         \
	"\"SandboxID\":\"87ca3fc53893f74df55a4088f0bcafd30184b7509235cf481b8d3623408ca186\","         \
	"\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\"}},\"Ports\":{},\"SandboxKey\":\"" key \
	"\",\"IsAnonymousEndpoint\":true},\"Name\":\"" name "\",\"Driver\":\"overlay2\"}"

#define OCI(annotations, network)                                                                  \
	"{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"/pause\"]},\"hostname\":\"x\","        \
	"\"annotations\":{" annotations "},\"linux\":{\"cgroupsPath\":\"/k8s.io/x\","              \
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"network\"" network "}," \
	"{\"type\":\"mount\"}]}}"

static char *root;
static struct containers found;

static int setup(void **state)
{
	(void)state;
	root = tree_new();
	memset(&found, 0, sizeof(found));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	containers_free(&found);
	tree_free(root);
	return 0;
}

/* The only container that is found. */
static const struct container *only(void)
{
	containers_free(&found);
	containers_find(&found, root);
	assert_int_equal(found.nr, 1);
	return &found.list[0];
}

static size_t count(void)
{
	containers_free(&found);
	containers_find(&found, root);
	return found.nr;
}

static void assert_netns(const struct container *c, const char *path)
{
	char *whole;

	assert_true(asprintf(&whole, "%s%s", root, path) > 0);
	assert_non_null(c->netns);
	assert_string_equal(c->netns, whole);
	free(whole);
}

static void docker_containers_have_their_names(void **state)
{
	const struct container *c;

	(void)state;
	tree_file(root, DOCKER ID1 "/config.v2.json",
		  DOCKER_JSON("/dreamy_volhard", "2151", "/var/run/docker/netns/87ca3fc53893"));
	c = only();
	assert_string_equal(c->name, "dreamy_volhard");
	assert_string_equal(c->id, ID1);
	assert_int_equal(c->pid, 2151);
	assert_netns(c, "/run/docker/netns/87ca3fc53893");
	/* stopped: no process, no netns */
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/dreamy_volhard", "0", ""));
	assert_int_equal(count(), 0);
	/* joined another container's netns */
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/sidecar", "7", ""));
	c = only();
	assert_string_equal(c->name, "sidecar");
	assert_null(c->netns);
}

static void pods_of_containerd_are_called_by_namespace_and_name(void **state)
{
	const struct container *c;

	(void)state;
	tree_file(root, CONTAINERD "k8s.io/" ID3 "/init.pid", "3812");
	tree_file(root, CONTAINERD "k8s.io/" ID3 "/config.json",
		  OCI("\"io.kubernetes.cri.container-type\":\"container\","
		      "\"io.kubernetes.cri.container-name\":\"edge\","
		      "\"io.kubernetes.cri.sandbox-id\":\"446c65ab43d490ab\","
		      "\"io.kubernetes.cri.sandbox-name\":\"hostname-lb-edge-64df67bd8b-xmzhv\","
		      "\"io.kubernetes.cri.sandbox-namespace\":\"default\"",
		      ",\"path\":\"/var/run/netns/cni-" UUID "\""));
	c = only();
	assert_string_equal(c->name, "default/hostname-lb-edge-64df67bd8b-xmzhv");
	assert_int_equal(c->pid, 3812);
	assert_netns(c, "/run/netns/cni-" UUID);
}

static void other_containers_of_containerd_have_the_name_they_were_given(void **state)
{
	const struct container *c;

	(void)state;
	tree_file(root, CONTAINERD "default/" ID2 "/init.pid", "55");
	tree_file(root, CONTAINERD "default/" ID2 "/config.json",
		  OCI("\"nerdctl/name\":\"alpine-1f2e3\",\"nerdctl/namespace\":\"default\"", ""));
	c = only();
	assert_string_equal(c->name, "alpine-1f2e3");
	assert_null(c->netns);
	/* Docker's own, named in Docker's files only */
	tree_file(root, CONTAINERD "default/" ID2 "/config.json", OCI("", ""));
	assert_int_equal(count(), 0);
	/* ctr run IMAGE web */
	tree_file(root, CONTAINERD "default/web/init.pid", "56\n");
	assert_string_equal(only()->name, "web");
}

static void podman_containers_have_their_names(void **state)
{
	const struct container *c;

	(void)state;
	tree_file(root, RUN ID2 "/userdata/pidfile", "1733");
	tree_file(root, LIB ID2 "/userdata/config.json",
		  OCI("\"io.container.manager\":\"libpod\"",
		      ",\"path\":\"/run/netns/netns-" UUID "\""));
	tree_file(root, LIB "containers.json",
		  "[{\"id\":\"" ID1 "\",\"names\":[\"other\"]},{\"id\":\"" ID2
		  "\",\"names\":[\"contenedor1\"],\"image\":\"d7af31210b288164\",\"layer\":"
		  "\"67b0c66296f7957a\",\"metadata\":\"{\\\"name\\\":\\\"contenedor1\\\"}\"}]");
	c = only();
	assert_string_equal(c->name, "contenedor1");
	assert_int_equal(c->pid, 1733);
	assert_netns(c, "/run/netns/netns-" UUID);
	/* podman run --rm */
	tree_file(root, LIB "containers.json", "[]");
	assert_int_equal(count(), 0);
	tree_file(root, LIB "volatile-containers.json",
		  "[{\"id\":\"" ID2 "\",\"names\":[\"passing\"]}]");
	assert_string_equal(only()->name, "passing");
}

static void pods_of_crio_are_called_by_namespace_and_name(void **state)
{
	(void)state;
	tree_file(root, RUN ID2 "/userdata/pidfile", "1733");
	tree_file(root, RUN ID2 "/userdata/config.json",
		  OCI("\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
		      "\"io.kubernetes.container.name\":\"POD\","
		      "\"io.kubernetes.pod.name\":\"web-0\","
		      "\"io.kubernetes.pod.namespace\":\"shop\"",
		      ",\"path\":\"/var/run/netns/" UUID "\""));
	tree_file(root, LIB "containers.json",
		  "[{\"id\":\"" ID2 "\",\"names\":[\"k8s_POD_web-0_shop_1_0\"]}]");
	assert_string_equal(only()->name, "shop/web-0");
}

static void a_netns_elsewhere_is_not_opened(void **state)
{
	static const char *const keys[] = {
		"/etc/passwd", "/run/netns/../../etc/passwd", "/run/netns/..",
		"/run/netns/", "/run/docker/netns/a/b",	      "/proc/1/ns/net",
		"run/netns/x", "/var/run/netns/.x",
	};
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(text, sizeof(text),
			 "{\"Name\":\"/x\",\"State\":{\"Pid\":5},\"NetworkSettings\":"
			 "{\"SandboxKey\":\"%s\"}}",
			 keys[i]);
		tree_file(root, DOCKER ID1 "/config.v2.json", text);
		assert_null(only()->netns);
	}
}

static void odd_files_are_passed_over(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{",
		"{\"Name\":7,\"State\":{\"Pid\":5}}",
		"{\"Name\":\"/\",\"State\":{\"Pid\":5}}",
		"{\"Name\":\"\",\"State\":{\"Pid\":5}}",
		"{\"Name\":\"/a\\u0000b\",\"State\":{\"Pid\":5}}",
		"{\"Name\":\"/x\",\"State\":{\"Pid\":-5}}",
		"{\"Name\":\"/x\",\"State\":{\"Pid\":4294967297}}",
		"{\"Name\":\"/x\",\"State\":{\"Pid\":\"5\"}}",
		"{\"Name\":\"/x\",\"State\":[5]}",
		"{\"Name\":{\"a\":1},\"State\":{\"Pid\":5},\"NetworkSettings\":[]}",
	};
	char *deep = calloc(1, 20000), *big = malloc(2 << 20), *name = calloc(1, 1000);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		tree_file(root, DOCKER ID1 "/config.v2.json", texts[i]);
		if (count())
			fail_msg("%s", texts[i]);
	}
	memset(deep, '[', 10000);
	tree_file(root, DOCKER ID1 "/config.v2.json", deep);
	assert_int_equal(count(), 0);
	/* one that would be good, but for its size */
	memset(big, ' ', 2 << 20);
	strcpy(big + (1 << 20), DOCKER_JSON("/x", "5", ""));
	tree_file(root, DOCKER ID1 "/config.v2.json", big);
	assert_int_equal(count(), 0);
	tree_file(root, DOCKER ID1 "/config.v2.json", big + (1 << 20));
	assert_int_equal(count(), 1);
	memset(name, 'n', 256);
	snprintf(deep, 20000, "{\"Name\":\"%s\",\"State\":{\"Pid\":5}}", name);
	tree_file(root, DOCKER ID1 "/config.v2.json", deep);
	assert_int_equal(count(), 0);
	free(deep);
	free(big);
	free(name);
}

static void in_root(const char *path, char *whole)
{
	snprintf(whole, PATH_MAX, "%s/%s", root, path);
}

static void links_and_devices_are_not_followed(void **state)
{
	char from[PATH_MAX], to[PATH_MAX];

	(void)state;
	tree_file(root, "elsewhere/" ID1 "/config.v2.json", DOCKER_JSON("/x", "5", ""));
	tree_dir(root, DOCKER ID1);
	tree_dir(root, DOCKER ID2);
	in_root("elsewhere/" ID1 "/config.v2.json", from);
	in_root(DOCKER ID1 "/config.v2.json", to);
	assert_int_equal(symlink(from, to), 0);
	/* reading it would wait for ever */
	in_root(DOCKER ID2 "/config.v2.json", to);
	assert_int_equal(mkfifo(to, 0600), 0);
	in_root("elsewhere/" ID1, from);
	in_root(DOCKER ID3, to);
	assert_int_equal(symlink(from, to), 0);
	assert_int_equal(count(), 0);
	/* but the folder itself may be one: data is often kept on another disk */
	tree_dir(root, "run/containers/storage");
	tree_file(root, "disk/" ID2 "/userdata/pidfile", "9");
	tree_file(root, LIB "containers.json", "[{\"id\":\"" ID2 "\",\"names\":[\"moved\"]}]");
	in_root("disk", from);
	in_root("run/containers/storage/overlay-containers", to);
	assert_int_equal(symlink(from, to), 0);
	assert_string_equal(only()->name, "moved");
}

static void too_many_containers_are_not_looked_at(void **state)
{
	char path[256];
	u32 i;

	(void)state;
	for (i = 0; i < CONTAINERS_MAX + 20; i++) {
		snprintf(path, sizeof(path), DOCKER "%064x/config.v2.json", i);
		tree_file(root, path, "{\"Name\":\"/x\",\"State\":{\"Pid\":5}}");
	}
	assert_int_equal(count(), CONTAINERS_MAX);
}

static void a_container_cannot_pass_for_the_host(void **state)
{
	(void)state;
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/host", "5", ""));
	assert_string_equal(only()->name, "docker:host");
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/pid:1(systemd)", "5", ""));
	assert_string_equal(only()->name, "docker:pid:1(systemd)");
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/hostess", "5", ""));
	assert_string_equal(only()->name, "hostess");
}

static void a_process_is_known_by_its_control_group(void **state)
{
	(void)state;
	assert_true(container_owns(ID1, "0::/system.slice/docker-" ID1 ".scope\n"));
	assert_true(container_owns(ID1, "12:cpu:/docker/" ID1 "\n11:pids:/docker/" ID1 "\n"));
	assert_true(container_owns(ID2, "0::/machine.slice/libpod-" ID2 ".scope/container\n"));
	assert_true(container_owns(ID3, "0::/kubepods.slice/kubepods-pod1.slice/"
					"cri-containerd-" ID3 ".scope"));
	assert_true(container_owns(ID3, "0::/system.slice/containerd.service/"
					"kubepods-x.slice:cri-containerd:" ID3));
	assert_true(container_owns("web", "0::/default/web\n"));
	assert_false(container_owns("web", "0::/default/web2\n"));
	assert_false(container_owns("web", "0::/default/myweb\n"));
	assert_false(container_owns(ID1, "0::/user.slice/user-1000.slice/session-3.scope\n"));
	assert_false(container_owns("", "0::/\n"));
	assert_false(container_owns("0", "0::/\n"));
}

/* What the netns of this test is called below @root. */
static const char *own_name(char *name)
{
	struct netns_take_options options = { .root = root };
	struct netns_targets targets = { 0 };
	const struct netns_target *target;
	struct error err = { 0 };
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	if (netns_targets_find(&targets, gettid(), &options, &err))
		fail_msg("%s", err.text);
	target = netns_targets_get(&targets, st.st_ino);
	assert_non_null(target);
	snprintf(name, 300, "%s", target->name ? target->name : "-");
	netns_targets_free(&targets);
	return name;
}

static void link_netns(const char *path)
{
	char to[PATH_MAX];

	in_root(path, to);
	assert_int_equal(symlink("/proc/self/ns/net", to), 0);
}

static void unlink_netns(const char *path)
{
	char to[PATH_MAX];

	in_root(path, to);
	assert_int_equal(unlink(to), 0);
}

static void the_best_name_of_a_netns_wins(void **state)
{
	char name[300];

	(void)state;
	assert_string_equal(own_name(name), "-");
	tree_dir(root, "run/docker/netns");
	link_netns("run/docker/netns/87ca3fc53893");
	assert_string_equal(own_name(name), "docker:87ca3fc53893");
	tree_file(root, "proc/2151/comm", "nginx\n");
	tree_dir(root, "proc/2151/ns");
	link_netns("proc/2151/ns/net");
	assert_string_equal(own_name(name), "pid:2151(nginx)");
	tree_dir(root, "run/netns");
	link_netns("run/netns/cni-" UUID);
	assert_string_equal(own_name(name), "cni-" UUID);
	tree_file(root, DOCKER ID1 "/config.v2.json",
		  DOCKER_JSON("/we\\u001b[2Jb", "0", "/var/run/docker/netns/87ca3fc53893"));
	assert_string_equal(own_name(name), "we?[2Jb");
	link_netns("run/netns/net-" UUID);
	assert_string_equal(own_name(name), "net-" UUID);
	unlink_netns("run/netns/net-" UUID);
	link_netns("run/netns/blue");
	assert_string_equal(own_name(name), "blue");
	tree_dir(root, "proc/1/ns");
	link_netns("proc/1/ns/net");
	assert_string_equal(own_name(name), "host");
}

static void a_process_id_of_another_life_names_nothing(void **state)
{
	char name[300];

	(void)state;
	tree_dir(root, "proc/2151/ns");
	link_netns("proc/2151/ns/net");
	tree_file(root, "proc/2151/comm", "sshd\n");
	tree_file(root, "proc/2151/cgroup", "0::/system.slice/ssh.service\n");
	tree_file(root, DOCKER ID1 "/config.v2.json", DOCKER_JSON("/web", "2151", ""));
	assert_string_equal(own_name(name), "pid:2151(sshd)");
	tree_file(root, "proc/2151/cgroup", "0::/system.slice/docker-" ID1 ".scope\n");
	assert_string_equal(own_name(name), "web");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(docker_containers_have_their_names),
		TEST(pods_of_containerd_are_called_by_namespace_and_name),
		TEST(other_containers_of_containerd_have_the_name_they_were_given),
		TEST(podman_containers_have_their_names),
		TEST(pods_of_crio_are_called_by_namespace_and_name),
		TEST(a_netns_elsewhere_is_not_opened),
		TEST(odd_files_are_passed_over),
		TEST(links_and_devices_are_not_followed),
		TEST(too_many_containers_are_not_looked_at),
		TEST(a_container_cannot_pass_for_the_host),
		TEST(a_process_is_known_by_its_control_group),
		TEST(the_best_name_of_a_netns_wins),
		TEST(a_process_id_of_another_life_names_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
