#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"

/* A pod from its spec and more metadata, both in flow style. */
static struct pod *pod_of(const char *metadata, const char *spec)
{
	_cleanup_free_ char *text = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web%s}\nspec: {%s}\n", metadata, spec);
	struct manifest m;

	manifest_read("f", text, strlen(text), &m);
	if (!m.documents[0].pod)
		fail_msg("%s: %s", text, m.diags[0].text);
	struct pod *p = pod_ref(m.documents[0].pod);
	manifest_deinit(&m);
	return p;
}

#define ONE(more) "containers: [{name: a, image: 'rootfs:/'" more "}]"
#define A "{name: a, image: 'rootfs:/'}"
#define B "{name: b, image: 'rootfs:/'}"
#define MOUNTS ONE(", volumeMounts: [{name: v, mountPath: /v}]")
#define MEMORY(policy, limit) \
	ONE(", resizePolicy: [{resourceName: memory, restartPolicy: " policy "}], resources: {limits: {memory: " limit "}}")
#define VOLUME ", volumes: [{name: v}]"

static const struct {
	const char *from, *to;
	enum edit edit;
	const char *field;
} edits[] = {
	{ ONE(""), ONE(""), EDIT_NONE, NULL },
	{ ONE(""), ONE("") ", restartPolicy: Always", EDIT_NONE, NULL },
	{ ONE(""), ONE(", securityContext: {}, args: []"), EDIT_NONE, NULL },
	{ ONE(", resources: {limits: {cpu: 1}}"), ONE(", resources: {limits: {cpu: 1000m}, requests: {cpu: 1}}"), EDIT_NONE, NULL },
	{ ONE(""), ONE("") ", restartPolicy: Never", EDIT_UPDATE, "spec.restartPolicy" },
	{ ONE(""), ONE("") ", terminationGracePeriodSeconds: 5", EDIT_UPDATE, "spec.terminationGracePeriodSeconds" },
	{ ONE(", resources: {limits: {memory: 64Mi}}"), ONE(", resources: {limits: {memory: 65Mi}}"), EDIT_RESIZE,
	  "spec.containers[0].resources.limits.memory" },
	{ ONE(", resources: {requests: {cpu: 1}}"), ONE(", resources: {requests: {cpu: 2}}"), EDIT_RESIZE,
	  "spec.containers[0].resources.requests.cpu" },
	{ ONE(""), ONE(", resources: {limits: {memory: 64Mi}}"), EDIT_RECREATE,
	  "spec.containers[0].resources.limits.memory" }, /* another QoS class */
	{ ONE(""), ONE(", command: [a]"), EDIT_RESTART, "spec.containers[0].command" },
	{ ONE(", command: [a, b]"), ONE(", command: [a, c]"), EDIT_RESTART, "spec.containers[0].command" },
	{ ONE(""), ONE(", args: [a]"), EDIT_RESTART, "spec.containers[0].args" },
	{ ONE(""), ONE(", workingDir: /a"), EDIT_RESTART, "spec.containers[0].workingDir" },
	{ ONE(", env: [{name: A, value: x}]"), ONE(", env: [{name: A, value: z}]"), EDIT_RESTART,
	  "spec.containers[0].env[0].value" },
	{ ONE(", env: [{name: A, value: x}]"), ONE(", env: []"), EDIT_RESTART, "spec.containers[0].env" },
	{ ONE("") VOLUME, ONE(", volumeMounts: [{name: v, mountPath: /v}]") VOLUME, EDIT_RESTART,
	  "spec.containers[0].volumeMounts" },
	{ ONE(", volumeMounts: [{name: v, mountPath: /v}]") VOLUME,
	  ONE(", volumeMounts: [{name: v, mountPath: /v, readOnly: true}]") VOLUME, EDIT_RESTART,
	  "spec.containers[0].volumeMounts[0].readOnly" },
	{ ONE(""), ONE(", securityContext: {privileged: false}"), EDIT_RESTART, "spec.containers[0].securityContext.privileged" },
	{ ONE(""), ONE(", securityContext: {runAsUser: 0}"), EDIT_RESTART, "spec.containers[0].securityContext.runAsUser" },
	{ ONE(""), ONE(", securityContext: {capabilities: {add: [KILL]}}"), EDIT_RESTART,
	  "spec.containers[0].securityContext.capabilities.add" },
	{ "containers: [" A "]", "containers: [" A ", " B "]", EDIT_RESTART, "spec.containers[1]" },
	{ "containers: [" A ", " B "]", "containers: [" B "]", EDIT_RESTART, "spec.containers" },
	{ "containers: [" A ", " B "]", "containers: [" B ", " A "]", EDIT_NONE, NULL },
	{ ONE(""), ONE(", ports: [{containerPort: 80}]"), EDIT_UPDATE, "spec.containers[0].ports[0].containerPort" },
	{ ONE(", ports: [{containerPort: 80}]"), ONE(", ports: [{containerPort: 81}]"), EDIT_UPDATE,
	  "spec.containers[0].ports[0].containerPort" },
	{ ONE(", ports: [{containerPort: 80, hostPort: 80}]"),
	  ONE(", ports: [{containerPort: 9}, {containerPort: 80, hostPort: 80}]"), EDIT_UPDATE,
	  "spec.containers[0].ports[0].containerPort" },
	{ ONE(""), ONE(", ports: [{containerPort: 80, hostPort: 80}]"), EDIT_RESIZE, "spec.containers[0].ports" },
	{ ONE(", ports: [{containerPort: 80, hostPort: 80}]"), ONE(", ports: [{containerPort: 80}]"), EDIT_RESIZE,
	  "spec.containers[0].ports" },
	{ ONE(", ports: [{containerPort: 80, hostPort: 80}]"), ONE(", ports: [{containerPort: 81, hostPort: 80}]"), EDIT_RESIZE,
	  "spec.containers[0].ports[0].containerPort" },
	{ ONE(""), "containers: [" A ", {name: b, image: 'rootfs:/', ports: [{containerPort: 80, hostPort: 80}]}]", EDIT_RESTART,
	  "spec.containers[1]" },
	{ "containers: [" A ", {name: b, image: 'rootfs:/', ports: [{containerPort: 80, hostPort: 80}]}]", ONE(""), EDIT_RESTART,
	  "spec.containers" },
	{ ONE(""), ONE("") ", hostNetwork: true", EDIT_RECREATE, "spec.hostNetwork" },
	{ ONE(""), ONE("") ", hostPID: true", EDIT_RECREATE, "spec.hostPID" },
	{ ONE(""), ONE("") ", hostIPC: true", EDIT_RECREATE, "spec.hostIPC" },
	{ ONE(""), ONE("") ", shareProcessNamespace: true", EDIT_RECREATE, "spec.shareProcessNamespace" },
	{ ONE(""), ONE("") ", hostname: x", EDIT_RECREATE, "spec.hostname" },
	{ ONE(""), ONE("") ", subdomain: x", EDIT_RECREATE, "spec.subdomain" },
	{ ONE(""), ONE("") ", hostAliases: [{ip: '::1', hostnames: [x]}]", EDIT_RESTART, "spec.hostAliases" },
	{ ONE(""), ONE("") ", dnsPolicy: Default", EDIT_RESIZE, "spec.dnsPolicy" },
	{ ONE(""), ONE("") ", dnsConfig: {searches: [x]}", EDIT_RESIZE, "spec.dnsConfig.searches" },
	{ ONE(""), ONE("") VOLUME, EDIT_UPDATE, "spec.volumes[0].name" },
	{ MOUNTS VOLUME, MOUNTS ", volumes: [{name: other}, {name: v}]", EDIT_UPDATE, "spec.volumes[0].name" },
	{ MOUNTS VOLUME, MOUNTS ", volumes: [{name: v, emptyDir: {medium: Memory}}]", EDIT_RESTART,
	  "spec.volumes[0].emptyDir.medium" },
	{ ONE("") VOLUME, ONE("") ", volumes: [{name: v, emptyDir: {medium: Memory}}]", EDIT_UPDATE,
	  "spec.volumes[0].emptyDir.medium" },
	{ MOUNTS VOLUME, MOUNTS ", volumes: [{name: v, hostPath: {path: /a}}]", EDIT_RESTART, "spec.volumes[0].hostPath" },
	{ MEMORY("NotRequired", "64Mi"), MEMORY("NotRequired", "65Mi"), EDIT_RESIZE, "spec.containers[0].resources.limits.memory" },
	{ MEMORY("RestartContainer", "64Mi"), MEMORY("RestartContainer", "65Mi"), EDIT_RESTART,
	  "spec.containers[0].resources.limits.memory" },
	{ MEMORY("NotRequired", "64Mi"), MEMORY("RestartContainer", "64Mi"), EDIT_UPDATE,
	  "spec.containers[0].resizePolicy[0].restartPolicy" },
	{ MEMORY("RestartContainer", "64Mi"), MEMORY("NotRequired", "65Mi"), EDIT_RESTART, /* the policy that runs decides */
	  "spec.containers[0].resources.limits.memory" },
	{ ONE(""), ONE("") ", securityContext: {runAsUser: 1}", EDIT_RESTART, "spec.securityContext.runAsUser" },
	/* The worst wins. */
	{ ONE(""), ONE(", args: [a]") ", hostPID: true, terminationGracePeriodSeconds: 5", EDIT_RECREATE, "spec.hostPID" },
};

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct pod *from = pod_of("", edits[i].from), *to = pod_of("", edits[i].to);
		struct pod_edit e;
		pod_diff(from, to, &e);
		if (e.pod != edits[i].edit || !streq0(e.field, edits[i].field))
			fail_msg("%s -> %s: %s because of %s", edits[i].from, edits[i].to, edit_name(e.pod),
			         e.field ? e.field : "nothing");
		pod_edit_deinit(&e);
		(void)pod_unref(from);
		(void)pod_unref(to);
	}
}

/* The brain compares hashes where the tool compares pods: they must agree on what is to be done. */
static void test_hashes_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct pod *from = pod_of("", edits[i].from), *to = pod_of("", edits[i].to);
		bool recreate = pod_edit_hash(from, EDIT_RECREATE) != pod_edit_hash(to, EDIT_RECREATE);
		bool restart = false;
		if (recreate != (edits[i].edit == EDIT_RECREATE))
			fail_msg("%s -> %s", edits[i].from, edits[i].to);
		for (size_t k = 0; k < to->spec.containers.count; k++) {
			const struct container *c = &to->spec.containers.items[k], *old = pod_container(from, c->name);
			restart |= !old || container_edit_hash(from, old, container_resize_restarts(old)) !=
			                           container_edit_hash(to, c, container_resize_restarts(old));
		}
		restart |= to->spec.containers.count < from->spec.containers.count;
		if (edits[i].edit != EDIT_RECREATE && restart != (edits[i].edit == EDIT_RESTART))
			fail_msg("%s -> %s", edits[i].from, edits[i].to);
		(void)pod_unref(from);
		(void)pod_unref(to);
	}
}

static void test_metadata(void **state)
{
	static const struct {
		const char *from, *to;
		enum edit edit;
		const char *field;
	} changes[] = {
		{ "", ", labels: {a: b}", EDIT_UPDATE, "metadata.labels" },
		{ ", labels: {a: b}", ", labels: {a: c}", EDIT_UPDATE, "metadata.labels" },
		{ ", labels: {a: b, c: d}", ", labels: {c: d, a: b}", EDIT_NONE, NULL },
		{ "", ", annotations: {a: b}", EDIT_UPDATE, "metadata.annotations" },
		{ "", ", uid: x", EDIT_NONE, NULL },
		{ ", uid: x", ", uid: z", EDIT_RECREATE, "metadata.uid" },
		{ "", ", namespace: other", EDIT_RECREATE, "metadata.namespace" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct pod *from = pod_of(changes[i].from, ONE("")), *to = pod_of(changes[i].to, ONE(""));
		struct pod_edit e;
		pod_diff(from, to, &e);
		assert_int_equal(e.pod, changes[i].edit);
		assert_true(streq0(e.field, changes[i].field));
		pod_edit_deinit(&e);
		(void)pod_unref(from);
		(void)pod_unref(to);
	}
}

static void test_containers(void **state)
{
	struct pod *from = pod_of("", "containers: [" A ", " B ", {name: c, image: 'rootfs:/'}]");
	struct pod *to = pod_of("", "containers: [{name: d, image: 'rootfs:/'}, {name: b, image: 'rootfs:/x'}, " A "]");
	struct pod_edit e;

	(void)state;
	pod_diff(from, to, &e);
	assert_int_equal(e.container_count, 4);
	assert_string_equal(e.containers[0].name, "d");
	assert_int_equal(e.containers[0].edit, EDIT_RESTART);
	assert_string_equal(e.containers[0].field, "spec.containers[0]");
	assert_true(e.containers[0].added);
	assert_int_equal(e.containers[1].edit, EDIT_RESTART);
	assert_string_equal(e.containers[1].field, "spec.containers[1].image");
	assert_int_equal(e.containers[2].edit, EDIT_NONE);
	assert_null(e.containers[2].field);
	assert_string_equal(e.containers[3].name, "c");
	assert_int_equal(e.containers[3].edit, EDIT_RESTART);
	assert_true(e.containers[3].removed);
	pod_edit_deinit(&e);
	(void)pod_unref(from);
	(void)pod_unref(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_hashes_agree),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_containers),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
