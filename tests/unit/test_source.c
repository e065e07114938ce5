/* What containers take from elsewhere: variables, files, and the form in which podd keeps a ConfigMap or Secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/str.h"
#include "manifest/manifest.h"
#include "plan/source.h"

static struct manifest manifest;

static const struct config_object *find(enum config_kind kind, const char *ns, const char *name, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < manifest.document_count; i++) {
		const struct config_object *c = manifest.documents[i].config;
		if (c && c->kind == kind && streq(c->namespace, ns) && streq(c->name, name))
			return c;
	}
	return NULL;
}

static int read_file(const char *volume, const char *path, struct arena *a, const char **ret_text, void *arg)
{
	(void)a;
	(void)arg;
	if (!streq(volume, "v") || !streq(path, "env"))
		return -2; /* ENOENT */
	*ret_text = "# comment\nA='one two'\n\nB='line\nline'\nA='last'\n";
	return 0;
}

static struct sources sources = { "u1", "node", "10.0.0.1", "10.0.0.2", 4000, 1 << 30, find, read_file, NULL, false };

static const char objects[] =
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1', b.x: '2'}\nbinaryData: {z: AAEC}\n---\n"
	"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: v}\ndata: {nul: AAEC}\n---\n";

/* The variables of a container with these lines, one after the other; or the reason. */
static void env_of(const char *lines, struct buf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct label_list env;
	const char *reason = NULL;

	buf_printf(
		&text,
		"%sapiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {l: x}}\nspec:\n  volumes: [{name: v}]\n  containers:\n"
		"  - {name: app, image: 'rootfs:/', resources: {limits: {memory: 65Mi}}, %s}\n",
		objects, lines);
	manifest_read("f", buf_str(&text), text.len, &manifest);
	assert_int_equal(manifest.document_count, 3);
	const struct pod *p = manifest.documents[2].pod;
	if (!p)
		fail_msg("%s: %s: %s", lines, manifest.diags[0].field, manifest.diags[0].text);
	buf_clear(out);
	if (source_env(a, p, &p->spec.containers.items[0], &sources, &env, &reason) < 0)
		buf_puts(out, reason);
	else
		for (size_t i = 0; i < env.count; i++)
			buf_printf(out, "%s=%s;", env.items[i].name, env.items[i].value);
	manifest_deinit(&manifest);
}

static void test_env(void **state)
{
	static const struct {
		const char *lines, *want;
	} cases[] = {
		{ "envFrom: [{prefix: P_, configMapRef: {name: c}}]", "P_a=1;P_b.x=2;" },
		{ "envFrom: [{configMapRef: {name: c}}], env: [{name: a, value: 'own $(a)'}]", "a=own 1;b.x=2;" },
		{ "envFrom: [{secretRef: {name: s}}, {configMapRef: {name: none, optional: true}}]", "k=v;" },
		{ "envFrom: [{secretRef: {name: none}}]",
		  "secret \"none\" not found in namespace default: envFrom takes its keys" },
		{ "env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: z}}}]",
		  "couldn't find key z in ConfigMap default/c for the variable A" },
		{ "env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: nul}}}]",
		  "key nul of Secret default/s has a NUL byte: it can't be the variable A" },
		{ "env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: none, optional: true}}}, {name: B, value: $(A)}]",
		  "B=$(A);" },
		{ "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['l']\"}}},"
		  " {name: B, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]",
		  "A=x;B=u1;" },
		{ "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Gi}}},"
		  " {name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu}}},"
		  " {name: C, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}]",
		  "A=1;B=4;C=0;" },
		{ "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: env, key: A}}},"
		  " {name: B, valueFrom: {fileKeyRef: {volumeName: v, path: env, key: B}}},"
		  " {name: C, valueFrom: {fileKeyRef: {volumeName: v, path: env, key: C, optional: true}}},"
		  " {name: D, valueFrom: {fileKeyRef: {volumeName: v, path: none, key: C, optional: true}}}]",
		  "A=last;B=line\nline;" },
		{ "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: env, key: C}}}]",
		  "file env of volume \"v\", for its variable C: has no such variable" },
	};
	_cleanup_buf_ struct buf got = BUF_NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		env_of(cases[i].lines, &got);
		assert_string_equal(buf_str(&got), cases[i].want);
	}
}

static void test_variables(void **state)
{
	static const char *const bad[] = { "A=x\n", "A='x' y\n", "A='x\n", "='x'\n", "A\n", "A = 'x'\n" };
	_cleanup_arena_ struct arena *a = arena_new();
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why = NULL;
		assert_null(source_variable(a, bad[i], "A", &why));
		assert_non_null(why);
	}
	assert_string_equal(source_variable(a, "A='x'", "A", &why), "x");
	assert_string_equal(source_variable(a, "A=''  \r\n", "A", &why), "");
}

/* Each cut of what podd keeps is refused, and the whole reads back. */
static void test_kept(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	(void)state;
	manifest_read("f", objects, strlen(objects), &manifest);
	for (size_t i = 0; i < manifest.document_count; i++) {
		const struct config_object *c = manifest.documents[i].config;
		buf_clear(&text);
		config_store(c, &text);
		struct config_object *again = config_restore(text.data, text.len);
		assert_non_null(again);
		assert_true(config_equal(c, again));
		assert_int_equal(c->immutable, again->immutable);
		(void)config_unref(again);
		for (size_t n = 1; n < text.len; n++) {
			again = config_restore(text.data, n);
			assert_true(!again || again->count < c->count);
			(void)config_unref(again);
		}
	}
	manifest_deinit(&manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
