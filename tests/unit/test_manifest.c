#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/config.h"
#include "manifest/ephemeral.h"
#include "manifest/schema.h"

static void read_text(const char *text, struct manifest *ret)
{
	manifest_read("web.yaml", text, strlen(text), ret);
}

static const char *const web =
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {b: x, a: z}\nspec:\n  containers:\n  - name: app\n"
	"    image: rootfs:/\n    ports: [{containerPort: 80, hostPort: 8080, protocol: UDP}]\n    resources: {limits: {memory: "
	"64Mi}}\n"
	"    env: [{name: A, value: x}, {name: B}]\n    volumeMounts: [{name: v, mountPath: /v, readOnly: true}]\n"
	"    securityContext: {runAsUser: 0, readOnlyRootFilesystem: false, capabilities: {drop: [ALL]}}\n"
	"  volumes: [{name: v, hostPath: {path: /srv, type: Directory}}, {name: e}]\n";

static void test_typed(void **state)
{
	struct manifest m;

	(void)state;
	read_text(web, &m);
	assert_true(m.parsed);
	assert_int_equal(m.document_count, 1);
	assert_int_equal(m.diag_count, 0);
	assert_int_equal(manifest_worst(&m), SEVERITY_MAX);
	struct pod *p = pod_ref(m.documents[0].pod);
	manifest_deinit(&m); /* the pod lives on */
	assert_string_equal(p->metadata.name, "web");
	assert_string_equal(p->metadata.namespace, "default");
	assert_null(p->metadata.uid);
	assert_string_equal(p->metadata.labels.items[0].name, "a"); /* sorted */
	assert_int_equal(p->spec.restart_policy, RESTART_POLICY_ALWAYS);
	assert_int_equal(p->spec.grace_seconds, 30);
	assert_null(p->spec.hostname);
	assert_int_equal(p->qos, QOS_BURSTABLE);
	const struct container *c = pod_container(p, "app");
	assert_non_null(c);
	assert_null(pod_container(p, "App"));
	assert_null(c->working_dir);
	assert_int_equal(c->ports.items[0].protocol, PROTOCOL_UDP);
	assert_int_equal(c->ports.items[0].host_port, 8080);
	assert_null(c->ports.items[0].host_ip);
	assert_string_equal(c->env.items[1].value, ""); /* never NULL */
	assert_int_equal(quantity_value(&c->resources.limits.memory), 64 << 20);
	assert_true(c->resources.requests.memory.set); /* the limit */
	assert_false(c->resources.requests.cpu.set);
	assert_true(c->security.run_as_user.set);
	assert_int_equal(c->security.read_only_root, TRISTATE_FALSE);
	assert_int_equal(c->security.privileged, TRISTATE_UNSET);
	assert_string_equal(c->security.capabilities.drop.items[0], "ALL");
	assert_true(c->mounts.items[0].read_only);
	assert_int_equal(pod_volume(p, "v")->host_path.type, HOST_PATH_DIRECTORY);
	assert_false(pod_volume(p, "v")->empty_dir.set);
	assert_true(pod_volume(p, "e")->empty_dir.set);
	assert_null(pod_volume(p, "x"));
	assert_null(pod_unref(p));
	assert_null(pod_unref(NULL));
}

static void hash_of(const char *text, char ret[static SHA256_HEX_SIZE])
{
	struct manifest m;

	read_text(text, &m);
	if (!m.documents[0].pod)
		fail_msg("refused: %s", m.diags[0].text);
	memcpy(ret, m.documents[0].pod->hash, SHA256_HEX_SIZE);
	manifest_deinit(&m);
}

#define SPEC(more) "spec: {containers: [{name: a, image: 'rootfs:/', " more "}]}\n"
#define HEAD "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"

static void test_hash(void **state)
{
	static const char *const same[] = {
		HEAD SPEC("resources: {limits: {memory: 64Mi, cpu: 500m}}"),
		HEAD "# comment\n" SPEC("resources: {requests: {cpu: 0.5}, limits: {cpu: .5, memory: 65536Ki}}, args: []"),
		("kind: Pod\napiVersion: v1\nspec:\n  restartPolicy: Always\n  terminationGracePeriodSeconds: 30\n  containers:\n"
		 "  - image: \"rootfs:/\"\n    resources:\n      limits: {memory: 64Mi, cpu: 0.5}\n    name: a\n"
		 "metadata: {namespace: default, name: a, labels: {}}\n"),
		("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\", \"uid\": \"1\", "
		 "\"creationTimestamp\": null},"
		 "\"spec\": {\"containers\": [{\"name\": \"a\", \"image\": \"rootfs:/\", "
		 "\"resources\": {\"limits\": {\"memory\": \"64Mi\", \"cpu\": 0.5}}}]}}"),
	};
	static const char *const other[] = {
		HEAD SPEC("resources: {limits: {memory: 65Mi, cpu: 500m}}"),
		HEAD SPEC("resources: {limits: {memory: 64Mi, cpu: 500m}}, args: [x]"),
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: z}}\n" SPEC(
			"resources: {limits: {memory: 64Mi, cpu: 500m}}"),
	};
	char first[SHA256_HEX_SIZE], hash[SHA256_HEX_SIZE];

	(void)state;
	hash_of(same[0], first);
	for (size_t i = 1; i < ARRAY_SIZE(same); i++) {
		hash_of(same[i], hash);
		assert_string_equal(hash, first);
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		hash_of(other[i], hash);
		assert_string_not_equal(hash, first);
	}
}

static void test_json(void **state)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;
	struct manifest m;

	(void)state;
	read_text(HEAD "spec: {containers: [{name: a, image: 'rootfs:/'}]}\n", &m);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	pod_json(m.documents[0].pod, "u-1", "42", &w);
	jsonw_end(&w);
	assert_string_equal(buf_str(&out),
	                    "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\",\"uid\":\"u-1\",\"resourceVersion\":\"42\"},"
	                    "\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"rootfs:/"
	                    "\",\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\","
	                    "\"imagePullPolicy\":\"IfNotPresent\"}],\"restartPolicy\":\"Always\","
	                    "\"terminationGracePeriodSeconds\":30}}");
	manifest_deinit(&m);
}

static void test_backoff(void **state)
{
	struct manifest m;

	(void)state;
	read_text("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {podd.dev/restart-backoff: ' initial=50ms "
	          ",reset=1m30s'}\n"
	          "spec: {containers: [{name: a, image: 'rootfs:/'}]}\n",
	          &m);
	assert_non_null(m.documents[0].pod);
	assert_int_equal(m.documents[0].pod->backoff.initial, 50000000);
	assert_int_equal(m.documents[0].pod->backoff.max, 0);
	assert_int_equal(m.documents[0].pod->backoff.reset, 90000000000);
	manifest_deinit(&m);
}

static void test_print(void **state)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct manifest m;

	(void)state;
	read_text("apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[31m\\nb\"}\nspec: {containers: [{name: a, image: "
	          "'rootfs:/'}]}\n",
	          &m);
	assert_int_equal(m.diag_count, 1);
	diag_print(&m.diags[0], "we\tb.yaml", &out);
	assert_non_null(strstr(buf_str(&out), "we\\x09b.yaml:3:18: error: metadata.name: Invalid value: \"a\\x1b[31m\\x0ab\": "));
	assert_null(strchr(buf_str(&out), '\n'));
	manifest_deinit(&m);

	buf_clear(&out);
	read_text("x: [\n", &m);
	assert_false(m.parsed);
	assert_int_equal(m.document_count, 0);
	manifest_deinit(&m);

	char *big = xcalloc(1, MANIFEST_SIZE_MAX + 2);
	manifest_read("big.yaml", big, MANIFEST_SIZE_MAX + 1, &m);
	assert_false(m.parsed);
	diag_print(&m.diags[0], "big.yaml", &out);
	assert_string_equal(
		buf_str(&out),
		"big.yaml: error: Too long: 1048577 bytes: a manifest file may have 1048576 bytes; split it into several files");
	manifest_deinit(&m);
	free(big);
}

static void test_documents(void **state)
{
	struct manifest m;

	(void)state;
	read_text(HEAD "spec: {}\n---\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\n---\n" HEAD
	               "spec: {containers: [{name: a, image: 'rootfs:/'}]}\n",
	          &m);
	assert_true(m.parsed);
	assert_int_equal(m.document_count, 3);
	assert_null(m.documents[0].pod);
	assert_string_equal(m.documents[0].kind, "Pod");
	assert_string_equal(m.documents[0].name, "a");
	assert_string_equal(m.documents[0].namespace, "default");
	assert_string_equal(m.documents[1].kind, "ConfigMap");
	assert_string_equal(m.documents[1].namespace, "n");
	assert_int_equal(m.documents[1].line, 6);
	/* The first one has the name, though it is invalid: which of the two is meant can't be known. */
	assert_null(m.documents[2].pod);
	manifest_deinit(&m);
}

/* --- ConfigMap and Secret --------------------------------------------------------------------------------------------------- */

static void assert_item(const struct config_object *c, const char *key, const char *data, size_t size)
{
	const struct config_item *item = config_find(c, key);

	assert_non_null(item);
	assert_int_equal(item->size, size);
	assert_memory_equal(item->data, data, size + 1); /* the NUL, too */
}

static void test_config(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\nimmutable: true\n"
		"data: {b: aHVudGVyMg==, bin: AAEC/w==, none: ''}\nstringData: {a: plain, b: wins}\n---\n"
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: w}\nbinaryData: {z: \"YW\\nJj\"}\n---\n"
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata: {x: 1}\n";
	struct manifest m;

	(void)state;
	manifest_read("f", text, strlen(text), &m);
	assert_int_equal(m.document_count, 3);
	const struct config_object *s = m.documents[0].config, *c = m.documents[1].config;
	assert_non_null(s);
	assert_int_equal(s->kind, CONFIG_SECRET);
	assert_string_equal(s->name, "s");
	assert_string_equal(s->namespace, "ns");
	assert_string_equal(s->type, "Opaque");
	assert_true(s->immutable);
	assert_int_equal(s->count, 4);
	assert_string_equal(s->items[0].key, "a");
	assert_string_equal(s->items[3].key, "none");
	assert_item(s, "a", "plain", 5);
	assert_item(s, "b", "wins", 4);
	assert_item(s, "bin", "\0\1\2\377", 4);
	assert_item(s, "none", "", 0);
	assert_non_null(c);
	assert_int_equal(c->kind, CONFIG_MAP);
	assert_string_equal(c->namespace, "default");
	assert_null(c->type);
	assert_false(c->immutable);
	assert_item(c, "x", "w", 1);
	assert_item(c, "z", "abc", 3);
	assert_null(config_find(c, "nothing"));
	assert_null(m.documents[2].config);
	assert_null(m.documents[0].pod);
	manifest_deinit(&m);
}

/* --- the schema table ------------------------------------------------------------------------------------------------------- */

/* Whether the row or one above it says what to do instead. */
static bool has_hint(const char *path)
{
	_cleanup_free_ char *up = xstrdup(path);

	for (char *dot = up + strlen(up); dot; dot = strrchr(up, '.')) {
		*dot = '\0';
		const struct field *f = schema_lookup(up);
		if (f && f->hint)
			return true;
	}
	return false;
}

static void visit_sane(const struct schema_row *row, void *user)
{
	const struct field *f = row->field;
	const char *path = row->path;
	size_t *rows = user;

	(*rows)++;
	if (!f->doc || !*f->doc)
		fail_msg("%s has no doc", path);
	if (!f->built && !f->neutral && f->verdict != VERDICT_NO_OP && !has_hint(path))
		fail_msg("%s is refused without a way out", path);
	if (f->verdict == VERDICT_NO_OP && !f->built)
		fail_msg("%s has no effect and yet is not built", path);
	if (f->verdict == VERDICT_REJECT && f->built)
		fail_msg("%s is never done and yet built", path);
	if (field_stored(f) && (f->type == FIELD_OBJECTS || f->type == FIELD_OBJECT || f->type == FIELD_QUANTITY_MAP) && !f->object)
		fail_msg("%s has nothing below", path);
	if (f->type == FIELD_ENUM && !f->values)
		fail_msg("%s has no words", path);
	assert_ptr_equal(schema_lookup(path), f);
	assert_ptr_equal(schema_lookup_parent(path), row->schema);
}

static void test_table(void **state)
{
	size_t rows = 0;

	(void)state;
	schema_walk(visit_sane, &rows);
	assert_true(rows > 150);
	assert_ptr_equal(schema_lookup("pod.spec.containers.image"), schema_lookup("spec.containers[0].image"));
	assert_null(schema_lookup("spec.containers.image.x"));
	assert_null(schema_lookup("spec.nothing"));
	assert_null(schema_lookup(""));
}

/* The list of all fields of Kubernetes, with the verdicts wanted: one line a field, "path\ttype\tverdict\ttype of the API". */
static char *wanted;

/* By the type of the API, which the list names once, however often it is used. */
static bool wanted_field(const char *of, char *type, char *verdict)
{
	const char *row = wanted;
	char api[128];

	for (; row && *row; row = strchr(row, '\n'), row = row ? row + 1 : NULL)
		if (sscanf(row, "%*s %63[^\t]\t%63[^\t]\t%127[^\n]", type, verdict, api) == 3 && streq(api, of))
			return true;
	return false;
}

static void visit_agrees(const struct schema_row *row, void *user)
{
	const struct field *f = row->field;
	_cleanup_free_ char *of = xasprintf("%s.%s", schema_type_of(row->schema, f), f->name);
	const char *name = row->schema->name;
	char type[64], verdict[64];

	/* The list begins at spec, and does not go into what other parts of Kubernetes own. */
	if (!str_after(row->path, "spec.") || streq(name, "ResourceList") || str_after(name, "LabelSelector") ||
	    str_after(of, "ObjectMeta."))
		return;
	if (!wanted_field(of, type, verdict))
		fail_msg("%s: %s is not a field of Kubernetes", row->path, of);
	if (strcmp(type, field_type_name(f->type)) != 0)
		fail_msg("%s is %s, not %s", row->path, type, field_type_name(f->type));
	if (strcmp(verdict, verdict_name(f->verdict)) != 0)
		fail_msg("%s: wanted verdict %s, not %s", row->path, verdict, verdict_name(f->verdict));
	(void)user;
}

/* One line of the list: in the table at that path, of that type of the API. Whether it is built. */
static bool check_row(const char *row)
{
	char path[256], type[64], verdict[64], api[128];

	assert_int_equal(sscanf(row, "%255[^\t]\t%63[^\t]\t%63[^\t]\t%127[^\n]", path, type, verdict, api), 4);
	const struct field *f = schema_lookup(path);
	const struct schema *parent = schema_lookup_parent(path);
	if (!f)
		fail_msg("%s is missing", path);
	_cleanup_free_ char *of = xasprintf("%s.%s", schema_type_of(parent, f), f->name);
	assert_string_equal(of, api);
	assert_string_equal(field_type_name(f->type), type);
	assert_string_equal(verdict_name(f->verdict), verdict);
	return f->built;
}

static void test_fields_agree(void **state)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_free_ char *path = xasprintf("%s/tests/manifest/fields.tsv", srcdir ? srcdir : ".");
	_cleanup_buf_ struct buf text = BUF_NULL;
	size_t rows = 0, unbuilt = 0;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text), 0);
	wanted = text.data;
	schema_walk(visit_agrees, NULL);
	for (char *line = strchr(text.data, '\n') + 1; line[0]; line += strcspn(line, "\n") + 1, rows++) {
		_cleanup_free_ char *row = xstrndup(line, strcspn(line, "\n"));
		if (!check_row(row)) {
			unbuilt++;
			printf("# not built: %.*s\n", (int)strcspn(row, "\t"), row);
		}
		if (!line[strcspn(line, "\n")])
			break;
	}
	printf("# %zu of %zu fields of Kubernetes are not built\n", unbuilt, rows);
	assert_int_equal(rows, 489);
}

/* --- debug containers ------------------------------------------------------------------------------------------------------------ */

/* The version of `p` with these; what is wrong with them is expected to have `why` in it, NULL: nothing is. */
static struct pod *add(const struct pod *p, const char *list, const char *why)
{
	_cleanup_free_ char *text = xasprintf("{\"spec\": {\"ephemeralContainers\": [%s]}}", list), *found = NULL;
	struct pod *version = NULL;

	if (ephemeral_add(p, text, strlen(text), &version, &found) == 0)
		assert_null(why);
	else if (!why || !strstr(found, why))
		fail_msg("%s: %s", list, found);
	return version;
}

#define ONE(more) "{\"name\": \"one\", \"image\": \"rootfs:/\"" more "}"
#define TWO                                                                                                                    \
	"{\"name\": \"two\", \"image\": \"rootfs:/\", \"resources\": {}, \"volumeMounts\": [{\"name\": \"v\", \"mountPath\": " \
	"\"/v\"}]}"

static void test_ephemeral(void **state)
{
	static const struct {
		const char *list, *why;
	} wrong[] = {
		{ "{}", "spec.ephemeralContainers[0].name: Required value" },
		{ ONE(", \"ports\": [{\"containerPort\": 80}]"), "spec.ephemeralContainers[0].ports: Forbidden" },
		{ ONE(", \"livenessProbe\": {\"exec\": {\"command\": [\"true\"]}}"), "Forbidden" },
		{ ONE(", \"comand\": [\"ls\"]"), "did you mean \"command\"?" },
		{ ONE("") ", " ONE(""), "spec.ephemeralContainers[1].name: Duplicate value" },
		{ "{\"name\": \"app\", \"image\": \"rootfs:/\"}", "Duplicate value: \"app\"" },
		{ ONE(", \"targetContainerName\": \"nope\""), "Not found: \"nope\"" },
		{ ONE(", \"volumeMounts\": [{\"name\": \"w\", \"mountPath\": \"/v\"}]"), "Not found: \"w\"" },
		{ ONE(", \"volumeMounts\": [{\"name\": \"v\", \"mountPath\": \"/v\", \"subPath\": \"a\"}]"),
		  "Forbidden: no subPath" },
	};
	struct manifest m;
	char *why;

	(void)state;
	read_text(web, &m);
	struct pod *p = pod_ref(m.documents[0].pod), *unused = NULL;
	manifest_deinit(&m);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_null(add(p, wrong[i].list, wrong[i].why));
	assert_int_equal(ephemeral_add(p, "nothing", 7, &unused, &why), -EBADMSG);
	free(why);

	/* In one step or in two it is the same version, and nothing that an edit would have to be redone for. */
	struct pod *both = add(p, ONE(", \"targetContainerName\": \"app\"") ", " TWO, NULL);
	struct pod *first = add(p, ONE(", \"targetContainerName\": \"app\""), NULL), *second = add(first, TWO, NULL);
	assert_string_equal(both->hash, second->hash);
	assert_string_not_equal(first->hash, second->hash);
	assert_string_not_equal(first->hash, p->hash);
	assert_true(pod_spec_hash(p) == pod_spec_hash(both));
	assert_true(pod_edit_hash(p, EDIT_RECREATE) == pod_edit_hash(both, EDIT_RECREATE));
	assert_int_equal(pod_container_count(second), 3);
	assert_true(pod_is_ephemeral(second, pod_container_at(second, 2)));
	assert_string_equal(pod_container_at(second, 2)->name, "two");
	assert_string_equal(pod_container(second, "one")->target, "app");
	assert_null(add(first, ONE(""), "may not be changed"));
	pod_unref(first);
	struct pod *base = ephemeral_base(second);
	assert_ptr_equal(base, p);
	pod_unref(base);
	pod_unref(second);
	pod_unref(both);
	assert_int_equal(p->refs, 1);
	pod_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),    cmocka_unit_test(test_typed),   cmocka_unit_test(test_hash),
		cmocka_unit_test(test_json),      cmocka_unit_test(test_backoff), cmocka_unit_test(test_print),
		cmocka_unit_test(test_documents), cmocka_unit_test(test_table),   cmocka_unit_test(test_fields_agree),
		cmocka_unit_test(test_ephemeral),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
