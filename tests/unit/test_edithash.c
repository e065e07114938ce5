/* What the hashes say about an edit must be what pod_diff says: the core acts by the former, `podctl diff` predicts by the latter. Each of a
 * list of pods is taken for an edit of each other one. */
/* cmocka.h wants these before it */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"

#define ONE(more) "containers: [{name: a, image: 'rootfs:/'" more "}]"
#define TWO(more) "containers: [{name: a, image: 'rootfs:/'}, {name: b, image: 'rootfs:/'" more "}]"
#define VOLUME ", volumes: [{name: v, emptyDir: {}}]"

static const char *const specs[] = {
	ONE(""),
	ONE("") ", restartPolicy: Always",
	ONE("") ", restartPolicy: Never",
	ONE("") ", terminationGracePeriodSeconds: 5",
	ONE("") ", hostname: h",
	ONE("") ", hostNetwork: true",
	ONE("") ", shareProcessNamespace: true",
	ONE("") ", securityContext: {runAsUser: 1}",
	ONE("") VOLUME,
	ONE("") ", volumes: [{name: v, hostPath: {path: /a}}]",
	ONE("") ", volumes: [{name: v, hostPath: {path: /b}}]",
	ONE(", volumeMounts: [{name: v, mountPath: /v}]") VOLUME,
	ONE(", volumeMounts: [{name: v, mountPath: /v, readOnly: true}]") VOLUME,
	"containers: [{name: a, image: 'rootfs:/a'}]",
	ONE(", command: [a, b]"),
	ONE(", command: [ab]"),
	ONE(", args: [a, b]"),
	ONE(", workingDir: /a"),
	ONE(", env: [{name: A, value: x}]"),
	ONE(", env: [{name: A, value: z}]"),
	ONE(", env: [{name: A, value: x}, {name: B}]"),
	ONE(", ports: [{containerPort: 80}]"),
	ONE(", ports: [{containerPort: 80, name: http}]"),
	ONE(", ports: [{containerPort: 80, hostPort: 8080}]"),
	ONE(", ports: [{containerPort: 81}, {containerPort: 80, hostPort: 8080}]"),
	ONE(", ports: [{containerPort: 80, hostPort: 8081}]"),
	ONE(", resources: {limits: {memory: 64Mi}}"),
	ONE(", resources: {limits: {memory: 65Mi}}"),
	ONE(", resources: {requests: {memory: 64Mi}}"),
	ONE(", resources: {limits: {memory: 64Mi, cpu: 1}}"),
	ONE(", resources: {limits: {memory: 64Mi, cpu: 1000m}}"),
	ONE(", securityContext: {privileged: true}"),
	ONE(", securityContext: {privileged: false}"),
	ONE(", securityContext: {runAsUser: 0}"),
	ONE(", securityContext: {runAsUser: 1}"),
	ONE(", securityContext: {capabilities: {add: [KILL]}}"),
	ONE(", securityContext: {capabilities: {drop: [KILL]}}"),
	TWO(""),
	TWO(", command: [x]"),
	TWO(", ports: [{containerPort: 80}]"),
	TWO(", ports: [{containerPort: 80, hostPort: 8080}]"),
	TWO(", resources: {requests: {cpu: 1}}"),
	"containers: [{name: b, image: 'rootfs:/'}, {name: a, image: 'rootfs:/'}]",
	"containers: [{name: b, image: 'rootfs:/'}]",
	ONE(", resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}], resources: {limits: {memory: 64Mi}}"),
	ONE(", resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}], resources: {limits: {memory: 65Mi, cpu: 2}}"),
	ONE(", volumeMounts: [{name: v, mountPath: /v}]") ", volumes: [{name: v, hostPath: {path: /a}}]",
	ONE(", volumeMounts: [{name: v, mountPath: /v}]") ", volumes: [{name: w}, {name: v, hostPath: {path: /a}}]",
};

static struct pod *pod_of(const char *spec)
{
	_cleanup_free_ char *text = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {%s}\n", spec);
	struct manifest m;

	manifest_read("f", text, strlen(text), &m);
	if (!m.parsed || !m.documents[0].pod)
		fail_msg("%s: %s", text, m.diag_count ? m.diags[0].text : "?");
	struct pod *p = pod_ref(m.documents[0].pod);
	manifest_deinit(&m);
	return p;
}

static bool container_differs(const struct pod *from, const struct pod *to, const char *name)
{
	const struct container *a = pod_container(from, name), *b = pod_container(to, name);

	if (!a || !b)
		return true;
	unsigned restarts = container_resize_restarts(a);
	return container_edit_hash(from, a, restarts) != container_edit_hash(to, b, restarts);
}

static void compare(const struct pod *from, const struct pod *to, const char *what)
{
	struct pod_edit e;
	bool recreate = pod_edit_hash(from, EDIT_RECREATE) != pod_edit_hash(to, EDIT_RECREATE);
	bool resize = pod_edit_hash(from, EDIT_RESIZE) != pod_edit_hash(to, EDIT_RESIZE);

	pod_diff(from, to, &e);
	if (recreate != (e.pod == EDIT_RECREATE))
		fail_msg("%s: pod_diff says %s (%s), the hash %s", what, edit_name(e.pod), e.field ? e.field : "",
		         recreate ? "recreate" : "no");
	if ((e.pod < EDIT_RESIZE && resize) || (e.pod == EDIT_RESIZE && !resize))
		fail_msg("%s: pod_diff says %s (%s), the hash of limits %s", what, edit_name(e.pod), e.field ? e.field : "",
		         resize ? "differs" : "is the same");
	for (size_t i = 0; i < e.container_count; i++) {
		bool differs = container_differs(from, to, e.containers[i].name);
		if ((e.containers[i].edit == EDIT_RESTART && !differs) || (e.containers[i].edit < EDIT_RESTART && differs))
			fail_msg("%s: container %s: pod_diff says %s, the hash %s", what, e.containers[i].name,
			         edit_name(e.containers[i].edit), differs ? "differs" : "is the same");
	}
	if ((pod_spec_hash(from) == pod_spec_hash(to)) != (e.pod == EDIT_NONE))
		fail_msg("%s: pod_diff says %s, the hash of the spec does not", what, edit_name(e.pod));
	pod_edit_deinit(&e);
}

static void test_hashes_agree_with_diff(void **state _unused_)
{
	struct pod *pods[ARRAY_SIZE(specs)];

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		pods[i] = pod_of(specs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		for (size_t j = 0; j < ARRAY_SIZE(specs); j++) {
			_cleanup_free_ char *what = xasprintf("{%s} to {%s}", specs[i], specs[j]);
			compare(pods[i], pods[j], what);
		}
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		pod_unref(pods[i]);
}

/* A podd that knows other fields, in another order, must get the same hashes: the values of this one, for ever. */
static void test_hashes_stay(void **state _unused_)
{
	struct pod *p = pod_of(
		ONE(", command: [sleep, '1'], env: [{name: A, value: x}], resources: {limits: {memory: 64Mi}}") ", hostname: h");

	assert_int_equal(EDIT_HASH_VERSION, 2);
	assert_int_equal(pod_edit_hash(p, EDIT_RECREATE), 0x56818b5cb36d0e9cu);
	assert_int_equal(pod_edit_hash(p, EDIT_RESIZE), 0xae184356f4326b90u);
	assert_int_equal(container_edit_hash(p, &p->spec.containers.items[0], 0), 0xbf2a41c82d84bf2du);
	pod_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes_agree_with_diff),
		cmocka_unit_test(test_hashes_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
