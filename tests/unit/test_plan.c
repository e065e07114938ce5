/* Plans are golden files: tests/plan/NAME.yaml compiles, for a fixed node, to exactly tests/plan/NAME.plan. A wanted change is written down with
 * PODD_UPDATE_PLANS=1. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "manifest/manifest.h"
#include "plan/compile.h"
#include "plan/filter.h"
#include "wire/anchor.h"

/* A node that has everything, so that the goldens do not depend on the machine. */
static struct plan_context node(bool unified)
{
	static const char *const v1[] = { "memory", "pids" };
	static struct filters *filters; /* shared, and left to the end of the program */

	if (!filters)
		filters = filters_new("/nonexistent");
	return (struct plan_context){
		.v1_hierarchies = v1,
		.v1_count = unified ? 0 : 2,
		.unified = unified,
		.filters = filters,
		.capabilities = (UINT64_C(1) << 41) - 1,
		.memory_capacity = INT64_C(8) << 30,
		.nofile_max = 1 << 20,
	};
}

static int plans_dir(void)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/tests/plan", getenv("srcdir") ? getenv("srcdir") : ".");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct manifest read_manifest(const char *name)
{
	_cleanup_close_ int dir = plans_dir();
	struct buf text = BUF_NULL;
	struct manifest m;

	assert_int_equal(file_read(dir, name, 1 << 20, &text), 0);
	manifest_read(name, text.data, text.len, &m);
	buf_deinit(&text);
	for (size_t i = 0; i < m.diag_count; i++)
		if (m.diags[i].severity != SEVERITY_NOTICE)
			fail_msg("%s:%u: %s: %s", name, m.diags[i].line, m.diags[i].field, m.diags[i].text);
	assert_int_equal(m.document_count, 1);
	assert_non_null(m.documents[0].pod);
	return m;
}

static void print(struct buf *out, const char *title, const struct plan *p)
{
	static const char *const roles[SLOT_MAX] = {
		[SLOT_CGROUP_TASKS] = "cgroup",
		[SLOT_LAYERS] = "layers",
		[SLOT_UPPER] = "upper",
		[SLOT_WORK] = "work",
		[SLOT_ETC] = "etc",
		[SLOT_SHM] = "shm",
		[SLOT_VOLUME] = "volume",
		[SLOT_HOST_DEV] = "host-dev",
		[SLOT_CGROUP_PROCS] = "procs",
		[SLOT_MEMBER] = "member",
		[SLOT_TERMINATION_LOG] = "termination-log",
	};

	buf_printf(out, "== %s, flags %u\n", title, p->spawn_flags);
	for (size_t i = 0; i < p->slot_count; i++)
		buf_printf(out, "slot %zu %s %s %u\n", i, roles[p->slots[i].role], p->slots[i].name ? p->slots[i].name : "-",
		           p->slots[i].index);
	assert_int_equal(plan_print(p->bytes.data, p->bytes.len, out), 0);
	if (!p->config.len)
		return;
	/* Line by line, for the eyes. */
	json_error_t error;
	json_t *config = json_loadb(p->config.data, p->config.len, JSON_REJECT_DUPLICATES, &error);
	if (!config)
		fail_msg("config.json: %s at %d: %.60s", error.text, error.position, p->config.data + error.position - 40);
	char *text = json_dumps(config, JSON_INDENT(1));
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(config);
}

/* A copy is confined as a command is: but for what is done at last, their plans are the same. */
static void compare_copy(const struct pod *pod, const struct container *c, const struct plan_image *image,
                         const struct plan_context *ctx)
{
	static const char *argv[] = { "/path", "name" };
	struct string_list words = { argv, 2 };
	const char *reason = NULL, *last[2];
	struct buf text[2] = { BUF_NULL, BUF_NULL };

	for (unsigned i = 0; i < 2; i++) {
		struct plan p;
		assert_int_equal(plan_session(pod, c, image, ctx, &words, i ? SESSION_COPY : SESSION_COMMAND, &p, &reason), 0);
		print(&text[i], "session", &p);
		plan_deinit(&p);
		text[i].data[text[i].len - 1] = '\0'; /* the newline */
		last[i] = strrchr(text[i].data, '\n') + 1;
	}
	assert_non_null(strstr(last[0], "exec"));
	assert_non_null(strstr(last[1], "copy"));
	assert_int_equal(last[0] - text[0].data, last[1] - text[1].data);
	assert_memory_equal(text[0].data, text[1].data, (size_t)(last[0] - text[0].data));
	buf_deinit(&text[0]);
	buf_deinit(&text[1]);
}

static void compile_all(const struct pod *pod, struct buf *out)
{
	static const char *layers[] = { "upper-layer", "lower-layer" };
	static const struct string_list mounts[16] = { { layers, 2 }, { layers + 1, 1 } };
	static const struct plan_image image = { .layers = { layers, 2 }, .mounts = mounts };
	static const char *argv[] = { "sh", "-c", "true" };
	struct string_list command = { argv, 3 };
	static const char *options[] = { "--debug" };
	static const struct plan_runtime runtime = { .program = "/usr/bin/runtime",
		                                     .options = { options, 1 },
		                                     .state = "/run/state",
		                                     .bundle = "/run/bundle",
		                                     .id = "id",
		                                     .cgroup = "/podd/leaf" };
	struct plan_context hybrid = node(false), unified = node(true);
	const char *reason = NULL;

	for (size_t i = 0; i < pod->spec.containers.count; i++) {
		const struct container *c = &pod->spec.containers.items[i];
		struct plan p;
		char title[128];

		(void)snprintf(title, sizeof(title), "member %s", c->name);
		hybrid.runtime = unified.runtime = pod->spec.runtime_class ? &runtime : NULL;
		assert_int_equal(plan_member(pod, c, &image, i ? &unified : &hybrid, &p, &reason), 0);
		print(out, title, &p);
		plan_deinit(&p);
		(void)snprintf(title, sizeof(title), "session in %s", c->name);
		assert_int_equal(plan_session(pod, c, &image, i ? &unified : &hybrid, &command,
		                              c->tty ? SESSION_TERMINAL : SESSION_COMMAND, &p, &reason),
		                 0);
		print(out, title, &p);
		plan_deinit(&p);
		compare_copy(pod, c, &image, i ? &unified : &hybrid);
	}
}

static void goldens(void **state)
{
	_cleanup_close_ int dir = plans_dir();
	DIR *d = fdopendir(dup(dir));
	unsigned count = 0;

	(void)state;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		char name[300];
		struct buf got = BUF_NULL, expected = BUF_NULL;
		if (e->d_name[0] == '.' || !str_ends(e->d_name, ".yaml"))
			continue;
		struct manifest m = read_manifest(e->d_name);
		compile_all(m.documents[0].pod, &got);
		(void)snprintf(name, sizeof(name), "%.*s.plan", (int)(strlen(e->d_name) - 5), e->d_name);
		if (getenv("PODD_UPDATE_PLANS"))
			assert_int_equal(file_replace(dir, name, got.data, got.len, 0644), 0);
		assert_int_equal(file_read(dir, name, 1 << 20, &expected), 0);
		if (!streq(buf_str(&got), buf_str(&expected)))
			fail_msg("%s differs; got:\n%s", name, buf_str(&got));
		buf_deinit(&got);
		buf_deinit(&expected);
		manifest_deinit(&m);
		count++;
	}
	(void)closedir(d);
	assert_true(count >= 5);
}

static void expansion(void **state)
{
	static struct label items[] = { { "A", "1" }, { "B", "$(A)" }, { "A", "2" } };
	static const struct label_list env = { items, 3 };
	static const char *const cases[][2] = {
		{ "", "" },
		{ "$(A)", "2" },
		{ "x$(A)y$(B)", "x2y$(A)" },
		{ "$(NOPE)", "$(NOPE)" },
		{ "$$(A)", "$(A)" },
		{ "$$$(A)", "$2" },
		{ "$(A", "$(A" },
		{ "$", "$" },
		{ "$$", "$" },
		{ "$A", "$A" },
		{ "$()", "$()" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(plan_expand(a, cases[i][0], &env), cases[i][1]);
	(void)arena_free(a);
}

static struct container *only(struct pod *pod, struct arena *a)
{
	*pod = (struct pod){ .arena = a };
	pod->metadata.name = "p";
	pod->spec.containers = (struct container_list){ arena_new_array(a, struct container, 1), 1 };
	pod->spec.containers.items[0].name = "c";
	return pod->spec.containers.items;
}

static struct string_list words(struct arena *a, const char *text)
{
	struct string_list l = { arena_new_array(a, const char *, 8), 0 };

	for (char *copy = arena_strdup(a, text), *save, *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		l.items[l.count++] = w;
	return l;
}

/* The exec line of a plan, without the environment. */
static const char *exec_line(const struct pod *pod, const struct container *c, const struct plan_image *image)
{
	static char line[256];
	const struct plan_context ctx = node(true);
	struct buf out = BUF_NULL;
	const char *reason = NULL;
	struct plan p;

	if (plan_member(pod, c, image, &ctx, &p, &reason) < 0)
		return reason;
	assert_int_equal(plan_print(p.bytes.data, p.bytes.len, &out), 0);
	const char *from = strstr(out.data, " exec ") + 6, *to = strstr(from, " environment");
	(void)snprintf(line, sizeof(line), "%.*s", (int)(to - from), from);
	buf_deinit(&out);
	plan_deinit(&p);
	return line;
}

/* The four cases of Kubernetes' documentation, and the fifth: nothing to run. */
static void command_and_args(void **state)
{
	static const char *const cases[][3] = {
		{ "", "", "\"/ep\" \"-e\" \"cmd\"" },
		{ "/my", "", "\"/my\"" },
		{ "", "arg", "\"/ep\" \"-e\" \"arg\"" },
		{ "/my x", "arg", "\"/my\" \"x\" \"arg\"" },
	};
	struct arena *a = arena_new();
	struct pod pod;
	struct container *c = only(&pod, a);
	struct plan_image image = { .config = { .entrypoint = words(a, "/ep -e"), .cmd = words(a, "cmd") } }, none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c->command = words(a, cases[i][0]);
		c->args = words(a, cases[i][1]);
		assert_string_equal(exec_line(&pod, c, &image), cases[i][2]);
	}
	c->command = c->args = (struct string_list){ 0 };
	assert_string_equal(exec_line(&pod, c, &none),
	                    "no command specified: neither the container nor its image says what to run");
	(void)arena_free(a);
}

/* The operation of a plan that starts with `what`, as printed; or the reason that there is none. */
static const char *op_line(const struct pod *pod, const struct container *c, const struct plan_image *image, const char *what)
{
	static char line[256];
	const struct plan_context ctx = node(true);
	_cleanup_buf_ struct buf out = BUF_NULL;
	const char *reason = NULL;
	struct plan p;

	if (plan_member(pod, c, image, &ctx, &p, &reason) < 0)
		return reason;
	assert_int_equal(plan_print(p.bytes.data, p.bytes.len, &out), 0);
	const char *from = strstr(out.data, what);
	assert_non_null(from);
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(from, "\n"), from);
	plan_deinit(&p);
	return line;
}

static void expect_profile(const struct pod *pod, const struct container *c, const struct plan_context *ctx, const char *line)
{
	static const struct plan_image image = { 0 };
	const char *reason = NULL;
	struct plan p;

	for (unsigned session = 0; session < 2; session++) {
		_cleanup_buf_ struct buf out = BUF_NULL;
		int r = session ? plan_session(pod, c, &image, ctx, &c->command, SESSION_COMMAND, &p, &reason)
		                : plan_member(pod, c, &image, ctx, &p, &reason);
		assert_int_equal(r, 0);
		assert_int_equal(plan_print(p.bytes.data, p.bytes.len, &out), 0);
		const char *from = strstr(buf_str(&out), "apparmor");
		if (!line) {
			assert_null(from);
		} else {
			assert_non_null(from);
			assert_int_equal(strcspn(from, "\n"), strlen(line));
			assert_memory_equal(from, line, strlen(line));
			assert_true(from < strstr(buf_str(&out), session ? " join " : " overlay "));
		}
		plan_deinit(&p);
	}
}

/* The container's own profile, then the annotation, then the pod's, then podd-default if it is there; the same for what joins it. */
static void app_armor(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n"
		"    container.apparmor.security.beta.kubernetes.io/old: localhost/old\n"
		"    container.apparmor.security.beta.kubernetes.io/both: unconfined\n"
		"spec:\n  securityContext: {appArmorProfile: {type: Localhost, localhostProfile: pods}}\n  containers:\n"
		"  - {name: pods, image: 'rootfs:/', command: [a]}\n"
		"  - {name: both, image: 'rootfs:/', command: [a], securityContext: {appArmorProfile: {type: RuntimeDefault}}}\n"
		"  - {name: none, image: 'rootfs:/', command: [a], securityContext: {appArmorProfile: {type: Unconfined}}}\n"
		"  - {name: old, image: 'rootfs:/', command: [a]}\n"
		"  - {name: mighty, image: 'rootfs:/', command: [a], securityContext: {privileged: true}}\n"
		"  - {name: both-mighty, image: 'rootfs:/', command: [a], "
		"securityContext: {privileged: true, appArmorProfile: {type: RuntimeDefault}}}\n";
	static const char *const lines[] = {
		"apparmor pods", "apparmor podd-default", NULL, "apparmor old", "apparmor pods", NULL
	};
	const struct plan_image image = { 0 };
	struct plan_context ctx = node(true);
	struct manifest m;

	(void)state;
	ctx.apparmor = true;
	manifest_read("p.yaml", text, sizeof(text) - 1, &m);
	struct pod *pod = m.documents[0].pod;
	assert_non_null(pod);
	for (size_t i = 0; i < pod->spec.containers.count; i++) {
		const struct container *c = &pod->spec.containers.items[i];
		expect_profile(pod, c, &ctx, lines[i]);
		compare_copy(pod, c, &image, &ctx);
	}
	pod->spec.security.app_armor.set = false;
	expect_profile(pod, &pod->spec.containers.items[0], &ctx, "apparmor podd-default if loaded");
	expect_profile(pod, &pod->spec.containers.items[4], &ctx, NULL);

	ctx.apparmor = false;
	struct plan p;
	const char *reason = NULL;
	expect_profile(pod, &pod->spec.containers.items[0], &ctx, NULL);
	expect_profile(pod, &pod->spec.containers.items[2], &ctx, NULL);
	assert_int_equal(plan_member(pod, &pod->spec.containers.items[1], &image, &ctx, &p, &reason), -EINVAL);
	assert_non_null(strstr(reason, "cannot enforce AppArmor"));
	manifest_deinit(&m);
}

/* Who the container is: by manifest, by the image's USER, by its passwd and group. */
static void users(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:1:1::/:\nhuge:x:4294967296:1::/:\n"
				     "www:x:33:33:www:/var/www:/bin/sh\ndb:x:70:71::relative:/bin/sh";
	static const char group[] =
		"root:x:0:\nwww:x:33:\nmail:x:8:www,db\nadm:x:4:syslog,www\ntwice:x:8:www\nwwwx:x:9:wwwx,xwww\n";
	static const struct {
		const char *user;
		int64_t run_as_user, run_as_group; /* -1: not said */
		const char *ids, *home;
	} cases[] = {
		{ NULL, -1, -1, "uid 0 gid 0 groups \"0\"", "HOME=/root" },
		{ "", -1, -1, "uid 0 gid 0 groups \"0\"", "HOME=/root" },
		{ "www", -1, -1, "uid 33 gid 33 groups \"33\" \"8\" \"4\"", "HOME=/var/www" },
		{ "33", -1, -1, "uid 33 gid 33 groups \"33\" \"8\" \"4\"", "HOME=/var/www" },
		{ "www:mail", -1, -1, "uid 33 gid 8 groups \"8\" \"4\"", "HOME=/var/www" },
		{ "www:77", -1, -1, "uid 33 gid 77 groups \"77\" \"8\" \"4\"", "HOME=/var/www" },
		{ "db", -1, -1, "uid 70 gid 71 groups \"71\" \"8\"", "HOME=/\"" },
		{ "1000:1000", -1, -1, "uid 1000 gid 1000 groups \"1000\"", "HOME=/\"" },
		{ "1000", -1, -1, "uid 1000 gid 0 groups \"0\"", "HOME=/\"" },
		{ ":mail", -1, -1, "uid 0 gid 8 groups \"8\"", "HOME=/root" },
		{ "nobody:nogroup", 33, -1, "uid 33 gid 33 groups \"33\" \"8\" \"4\"", "HOME=/var/www" },
		{ "www:mail", 1000, -1, "uid 1000 gid 0 groups \"0\"", "HOME=/\"" },
		{ "www:nogroup", -1, 5, "uid 33 gid 5 groups \"5\" \"8\" \"4\"", "HOME=/var/www" },
		{ "nobody", -1, 5, "the image's user \"nobody\" is not in its /etc/passwd; set runAsUser", NULL },
		{ "huge", -1, -1, "the image's user \"huge\" is not in its /etc/passwd; set runAsUser", NULL },
		{ "www:nogroup", -1, -1, "the image's group \"nogroup\" is not in its /etc/group; set runAsGroup", NULL },
	};
	struct arena *a = arena_new();
	struct pod pod;
	struct container *c = only(&pod, a);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_image image = { .config = { .cmd = words(a, "true"), .user = cases[i].user },
			                    .passwd = passwd,
			                    .group = group };
		c->security.run_as_user = (struct id){ cases[i].run_as_user, cases[i].run_as_user >= 0 };
		c->security.run_as_group = (struct id){ cases[i].run_as_group, cases[i].run_as_group >= 0 };
		assert_string_equal(op_line(&pod, c, &image, cases[i].home ? "uid " : ""), cases[i].ids);
		if (cases[i].home)
			assert_non_null(strstr(op_line(&pod, c, &image, "environment"), cases[i].home));
	}
	(void)arena_free(a);
}

/* What an image may call its user, and who that is: "uid gid", or "" for nobody. Never somebody by a number that wraps, by half a number, or by
 * what another parser would make of it. */
static void user_strings(void **state)
{
	static const char passwd[] =
		"root:x:0:0::/:\nweb:x:33:34::/:\n1000:x:7:8::/:\n+5:x:9:9::/:\nnul:x::1::/:\nneg:x:-1:1::/:\n"
		"big:x:2147483648:1::/:\nmax:x:2147483647:2147483647::/:\nhex:x:0x1:1::/:\nsp ace:x:11:12::/:\nshort:x:13\n";
	static const char group[] = "root:x:0:\nmail:x:8:\n77:x:3:\nbad:x:0x3:\n";
	static const struct {
		const char *user, *ids;
	} cases[] = {
		{ "0", "0 0" },
		{ "00", "0 0" },
		{ "1", "1 0" },
		{ "033", "33 34" },
		{ "33", "33 34" },
		{ "1000", "1000 0" },
		{ "2147483647", "2147483647 2147483647" },
		{ "2147483646", "2147483646 0" },
		{ "2147483648", "" },
		{ "4294967294", "" },
		{ "4294967295", "" },
		{ "4294967296", "" },
		{ "4294967297", "" },
		{ "18446744073709551615", "" },
		{ "18446744073709551616", "" },
		{ "18446744073709551617", "" },
		{ "99999999999999999999999999999999999999", "" },
		{ "-1", "" },
		{ "-0", "" },
		{ "+0", "" },
		{ "+1", "" },
		{ "+5", "9 9" },
		{ " 0", "" },
		{ "0 ", "" },
		{ " ", "" },
		{ "\t0", "" },
		{ "0\n", "" },
		{ "0x0", "" },
		{ "0x10", "" },
		{ "0b1", "" },
		{ "1e3", "" },
		{ "1.0", "" },
		{ "1,0", "" },
		{ "1_000", "" },
		{ "0root", "" },
		{ "root0", "" },
		{ "root", "0 0" },
		{ "Root", "" },
		{ "ROOT", "" },
		{ "root ", "" },
		{ "root\n", "" },
		{ "ro", "" },
		{ "rootx", "" },
		{ "root/", "" },
		{ "web", "33 34" },
		{ "sp ace", "11 12" },
		{ "nul", "" },
		{ "neg", "" },
		{ "big", "" },
		{ "max", "2147483647 2147483647" },
		{ "hex", "" },
		{ "short", "" },
		{ "*", "" },
		{ "x", "" },
		{ "../root", "" },
		{ "web:", "" },
		{ "web:mail", "33 8" },
		{ "web:8", "33 8" },
		{ "web:77", "33 77" },
		{ "web:bad", "" },
		{ "web:0x8", "" },
		{ "web:-1", "" },
		{ "web:4294967296", "" },
		{ "web:mail:8", "" },
		{ "web::8", "" },
		{ "1000:", "" },
		{ ":8", "0 8" },
		{ ":", "" },
		{ "1000:4294967304", "" },
		{ "\xef\xbc\x90", "" /* a full-width 0 */ },
		{ "", "0 0" },
	};
	struct arena *a = arena_new();
	struct pod pod;
	struct container *c = only(&pod, a);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_image image = { .config = { .cmd = words(a, "true"), .user = cases[i].user },
			                    .passwd = passwd,
			                    .group = group };
		long long uid = -1, gid = -1;
		char ids[64] = "";
		if (sscanf(op_line(&pod, c, &image, "uid "), "uid %lld gid %lld", &uid, &gid) == 2)
			(void)snprintf(ids, sizeof(ids), "%lld %lld", uid, gid);
		if (strcmp(ids, cases[i].ids) != 0)
			fail_msg("user \"%s\" is \"%s\", not \"%s\"", cases[i].user, ids, cases[i].ids);
	}
	(void)arena_free(a);
}

static void refusals(void **state)
{
	struct arena *a = arena_new();
	struct pod pod;
	struct container *c = only(&pod, a);
	struct plan_image image = { .config = { .cmd = words(a, "true"), .user = "4294967296" } };
	struct plan_context ctx = node(true);
	const char *reason = NULL;
	struct plan p;

	(void)state;
	assert_int_equal(plan_member(&pod, c, &image, &ctx, &p, &reason), -EINVAL);
	assert_string_equal(reason, "the image's user \"4294967296\" is not in its /etc/passwd; set runAsUser");
	image.config.user = "";
	c->security.capabilities.add = words(a, "SYS_RESOURCE");
	ctx.capabilities &= ~(UINT64_C(1) << 24);
	assert_int_equal(plan_member(&pod, c, &image, &ctx, &p, &reason), -EINVAL);
	assert_string_equal(reason, "capability SYS_RESOURCE is not available to podd on this host");
	c->security.capabilities.add = words(a, "NO_SUCH");
	assert_int_equal(plan_member(&pod, c, &image, &ctx, &p, &reason), -EINVAL);
	assert_string_equal(reason, "unknown capability \"NO_SUCH\"");
	(void)arena_free(a);
}

static uint32_t op_of(const struct plan *p, enum plan_kind kind)
{
	struct plan_view v;

	assert_int_equal(plan_view_init(&v, p->bytes.data, p->bytes.len), 0);
	for (uint32_t i = 0; i < v.header->op_count; i++)
		if (v.ops[i].kind == kind)
			return i;
	fail_msg("no such operation");
	return 0;
}

static void failures_in_words(void **state)
{
	static const struct {
		enum plan_kind kind;
		int error;
		const char *operand, *text;
	} cases[] = {
		{ PLAN_OVERLAY, ENOENT, "overlay", "creating the root file system (overlay): No such file or directory" },
		{ PLAN_EXEC, ENOENT, "nosuch", "running \"nosuch\": not found in PATH" },
		{ PLAN_EXEC, ENOENT, "/bin/nosuch", "running \"/bin/nosuch\": No such file or directory" },
		{ PLAN_EXEC, EACCES, "/bin/\033[2J", "running \"/bin/\\x1b[2J\": Permission denied" },
		{ PLAN_MOUNT, EPERM, "/proc", "mounting proc on /proc: Operation not permitted" },
		{ PLAN_MOUNT, ENOSPC, "/proc",
		  "mounting proc on /proc: No space left on device; fs.mount-max or one of user.max_*_namespaces is reached" },
		{ PLAN_MOUNT, ELOOP, "/proc", "mounting proc on /proc: it is a symbolic link in the image" },
		{ PLAN_MOVE, EISDIR, "/etc",
		  "mounting on /etc: a file can't be mounted on a directory; append the file's name to mountPath" },
		{ PLAN_CHDIR, ENOTDIR, "/etc/passwd", "entering the working directory /etc/passwd: Not a directory" },
	};
	struct arena *a = arena_new();
	struct pod pod;
	struct container *c = only(&pod, a);
	struct plan_image image = { .config = { .cmd = words(a, "true") } };
	struct plan_context ctx = node(true);
	const char *reason = NULL;
	struct plan p;

	(void)state;
	assert_int_equal(plan_member(&pod, c, &image, &ctx, &p, &reason), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_failure f = { .op = op_of(&p, cases[i].kind), .error = cases[i].error };
		struct buf out = BUF_NULL;
		memcpy(f.operand, cases[i].operand, strlen(cases[i].operand));
		plan_failure_text(p.bytes.data, p.bytes.len, &f, &out);
		assert_string_equal(out.data, cases[i].text);
		buf_deinit(&out);
	}
	struct plan_failure f = { .op = PLAN_STEP_CLONE, .error = EAGAIN };
	struct buf out = BUF_NULL;
	plan_failure_text(NULL, 0, &f, &out);
	assert_string_equal(out.data, "cloning the process: Resource temporarily unavailable; the pod's limit of processes, "
	                              "kernel.pid_max or kernel.threads-max is reached");
	buf_deinit(&out);
	plan_deinit(&p);
	(void)arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goldens),
		cmocka_unit_test(expansion),
		cmocka_unit_test(command_and_args),
		cmocka_unit_test(app_armor),
		cmocka_unit_test(users),
		cmocka_unit_test(user_strings),
		cmocka_unit_test(refusals),
		cmocka_unit_test(failures_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
