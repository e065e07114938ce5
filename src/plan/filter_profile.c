#include <errno.h>
#include <jansson.h>
#include <linux/seccomp.h>
#include <string.h>
#include "base/str.h"
#include "plan/filter.h"
#include "sys/cap.h"

/* A profile's fields that podd knows. An unknown one may restrict, so it refuses the profile. */
static const char *const profile_keys[] = {
	"defaultAction", "defaultErrnoRet", "architectures", "archMap", "syscalls", "flags", NULL
};
static const char *const rule_keys[] = { "names", "name", "action", "errnoRet", "args", "comment", "includes", "excludes", NULL };
static const char *const condition_keys[] = { "caps", "arches", "minKernel", NULL };

struct reader {
	uint64_t capabilities;
	struct arena *arena;
	struct filter_rules rules;
	const char *reason;
};

static int fail(struct reader *r, const char *what, const char *value)
{
	r->reason = value ? arena_printf(r->arena, "%s \"%s\"", what, value) : what;
	return -EINVAL;
}

static int check_keys(struct reader *r, json_t *object, const char *const *known, const char *where)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return fail(r, "not an object:", where);
	json_object_foreach(object, key, value) {
		const char *const *k = known;
		while (*k && !streq(*k, key))
			k++;
		if (!*k)
			return fail(r, "unknown field", key);
	}
	return 0;
}

static int read_action(struct reader *r, json_t *action, json_t *error, uint32_t *ret)
{
	static const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
		{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
		{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO | EPERM },
		{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	};
	const char *name = json_string_value(action);

	for (size_t i = 0; name && i < ARRAY_SIZE(actions); i++) {
		if (!streq(actions[i].name, name))
			continue;
		*ret = actions[i].action;
		if (error && (*ret & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
			if (!json_is_integer(error) || json_integer_value(error) < 0 || json_integer_value(error) > 4095)
				return fail(r, "errnoRet is not an error number from 0 to 4095", NULL);
			*ret = SECCOMP_RET_ERRNO | (uint32_t)json_integer_value(error);
		}
		return 0;
	}
	return fail(r, "unknown action", name ? name : "(none)");
}

const char *const filter_compare_names[] = {
	[SECCOMP_NE] = "SCMP_CMP_NE",
	[SECCOMP_LT] = "SCMP_CMP_LT",
	[SECCOMP_LE] = "SCMP_CMP_LE",
	[SECCOMP_EQ] = "SCMP_CMP_EQ",
	[SECCOMP_GE] = "SCMP_CMP_GE",
	[SECCOMP_GT] = "SCMP_CMP_GT",
	[SECCOMP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};
_Static_assert(ARRAY_SIZE(filter_compare_names) == SECCOMP_COMPARE_MAX, "each comparison has a name");

static int read_args(struct reader *r, json_t *list, struct seccomp_rule *rule)
{
	size_t i;
	json_t *item;

	if (json_array_size(list) > SECCOMP_ARGS_MAX)
		return fail(r, "more than 6 args", NULL);
	json_array_foreach(list, i, item) {
		const char *op = json_string_value(json_object_get(item, "op"));
		json_int_t index = json_integer_value(json_object_get(item, "index"));
		enum seccomp_compare compare = 0;
		while (op && compare < SECCOMP_COMPARE_MAX && !streq(filter_compare_names[compare], op))
			compare++;
		if (!op || compare == SECCOMP_COMPARE_MAX || index < 0 || index >= SECCOMP_ARGS_MAX)
			return fail(r, "an arg that is none: op", op ? op : "(none)");
		rule->args[i] = (struct seccomp_arg){
			.index = (unsigned)index,
			.compare = compare,
			.value = (uint64_t)json_integer_value(json_object_get(item, "value")),
			.other = (uint64_t)json_integer_value(json_object_get(item, "valueTwo")),
		};
	}
	rule->arg_count = json_array_size(list);
	return 0;
}

static bool lists_word(json_t *list, const char *word)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
		if (streq0(json_string_value(item), word))
			return true;
	return false;
}

static size_t caps_held(const struct reader *r, json_t *list)
{
	size_t i, held = 0;
	json_t *item;

	json_array_foreach(list, i, item) {
		int cap = json_is_string(item) ? cap_by_name(json_string_value(item)) : -ENOENT;
		held += cap >= 0 && (r->capabilities & CAP_BIT(cap));
	}
	return held;
}

/* Docker's conditions: all of `includes` must hold, nothing of `excludes`. Every kernel that podd runs on is newer than any minKernel. */
static int rule_applies(struct reader *r, json_t *rule, bool *ret)
{
#ifdef __x86_64__
	const char *arch = "amd64";
#else
	const char *arch = "arm64";
#endif
	json_t *in = json_object_get(rule, "includes"), *out = json_object_get(rule, "excludes"), *list;
	bool applies = true;

	if ((in && check_keys(r, in, condition_keys, "includes") < 0) ||
	    (out && check_keys(r, out, condition_keys, "excludes") < 0))
		return -EINVAL;
	list = json_object_get(in, "caps");
	if (caps_held(r, list) < json_array_size(list))
		applies = false;
	list = json_object_get(in, "arches");
	if (json_array_size(list) && !lists_word(list, arch))
		applies = false;
	if (caps_held(r, json_object_get(out, "caps")) || lists_word(json_object_get(out, "arches"), arch) ||
	    json_object_get(out, "minKernel"))
		applies = false;
	*ret = applies;
	return 0;
}

static int add_rule(struct reader *r, const char *name, const struct seccomp_rule *like)
{
	if (!name)
		return fail(r, "a name that is no string", NULL);
	if (r->rules.count == FILTER_RULES_MAX)
		return fail(r, "more than 4096 system calls", NULL);
	struct seccomp_rule *rule = &r->rules.items[r->rules.count++];
	*rule = *like;
	rule->name = arena_strdup(r->arena, name);
	return 0;
}

static int read_rule(struct reader *r, json_t *object)
{
	json_t *names = json_object_get(object, "names"), *item;
	struct seccomp_rule rule = { 0 };
	bool applies = false;
	size_t i;

	int e = check_keys(r, object, rule_keys, "an item of syscalls");
	if (e == 0)
		e = rule_applies(r, object, &applies);
	if (e < 0 || !applies)
		return e;
	e = read_action(r, json_object_get(object, "action"), json_object_get(object, "errnoRet"), &rule.action);
	if (e == 0)
		e = read_args(r, json_object_get(object, "args"), &rule);
	if (e == 0 && !names)
		return add_rule(r, json_string_value(json_object_get(object, "name")), &rule);
	json_array_foreach(names, i, item)
		if (e == 0)
			e = add_rule(r, json_string_value(item), &rule);
	return e;
}

static int read_profile(struct reader *r, json_t *root)
{
	size_t i;
	json_t *item;

	int e = check_keys(r, root, profile_keys, "the profile");
	if (e == 0)
		e = read_action(r, json_object_get(root, "defaultAction"), json_object_get(root, "defaultErrnoRet"),
		                &r->rules.fallback);
	json_array_foreach(json_object_get(root, "syscalls"), i, item)
		if (e == 0)
			e = read_rule(r, item);
	return e;
}

int filter_profile(const char *json, size_t size, uint64_t capabilities, struct arena *a, struct filter_rules *ret,
                   const char **ret_reason)
{
	struct reader r = { .capabilities = capabilities, .arena = a };
	json_error_t error;

	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		*ret_reason = arena_printf(a, "line %d: %s", error.line, error.text);
		return -EINVAL;
	}
	r.rules.items = arena_new_array(a, struct seccomp_rule, FILTER_RULES_MAX);
	int e = read_profile(&r, root);
	json_decref(root);
	if (e < 0)
		*ret_reason = r.reason;
	else
		*ret = r.rules;
	return e;
}
