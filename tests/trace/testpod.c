#include "trace/testpod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

const struct testpod_container *testpod_find(const struct testpod *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (streq(t->containers[i].name, name))
			return &t->containers[i];
	return NULL;
}

bool testpod_same_spec(const struct testpod *a, const struct testpod *b)
{
	struct testpod x = *a, y = *b;

	x.label = y.label = 0;
	memcpy(x.after, y.after, sizeof(x.after));
	x.until = y.until;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static void parse_probe(const char *s, struct testpod_container *k)
{
	enum probe_kind kind = *s == 's' ? PROBE_STARTUP : *s == 'r' ? PROBE_READINESS : PROBE_LIVENESS;
	struct testpod_probe *p = &k->probes[kind];

	p->failures = 1;
	(void)sscanf(s + 1, "%d,%d,%d", &p->failures, &p->delay, &p->third);
}

static bool parse_container(const char *name, const char *value, struct testpod *t)
{
	static const char *const policies[] = { "", "always", "onfailure", "never" };

	_Static_assert(ARRAY_SIZE(policies) == CONTAINER_RESTART_MAX, "in the order of the enum");
	if (t->count == TESTPOD_CONTAINERS_MAX)
		return false;
	struct testpod_container *k = &t->containers[t->count++];
	const char *init = str_after(name, "i."), *sidecar = str_after(name, "s."), *debug = str_after(name, "d.");
	k->role = init      ? CONTAINER_ROLE_INIT
	          : sidecar ? CONTAINER_ROLE_SIDECAR
	          : debug   ? CONTAINER_ROLE_DEBUG
	                    : CONTAINER_ROLE_MEMBER;
	(void)snprintf(k->name, sizeof(k->name), "%s", init ? init : sidecar ? sidecar : debug ? debug : name);
	k->image = atoi(value);
	k->restart = sidecar ? CONTAINER_RESTART_ALWAYS : CONTAINER_RESTART_AS_POD;
	for (const char *s = value; *s; s++) {
		if (*s == ':')
			k->limit = atoi(s + 1);
		else if (*s == '@')
			parse_probe(s + 1, k);
		else if (*s == '!' || *s == '+')
			k->rule = (struct testpod_rule){ *s == '!' ? RESTART_ACTION_ALL : RESTART_ACTION_CONTAINER, atoi(s + 1) };
		else if (*s == '<' || *s == '>')
			k->hooks[*s == '>'] = atoi(s + 1) ? atoi(s + 1) : -1;
		for (int i = 1; *s == '?' && i < CONTAINER_RESTART_MAX; i++)
			if (str_after(s + 1, policies[i]))
				k->restart = (enum container_restart)i;
	}
	return true;
}

void testpod_sort(struct testpod *t)
{
	struct testpod_container sorted[TESTPOD_CONTAINERS_MAX] = { 0 };
	size_t n = 0;

	for (int place = 0; place < 3; place++)
		for (size_t i = 0; i < t->count; i++) {
			enum container_role role = t->containers[i].role;
			if (place == (role == CONTAINER_ROLE_DEBUG ? 2 : role == CONTAINER_ROLE_MEMBER))
				sorted[n++] = t->containers[i];
		}
	memcpy(t->containers, sorted, sizeof(sorted));
}

static bool parse_after(char *value, struct testpod *t)
{
	char *colon = strchr(value, ':');

	if (colon)
		*colon++ = '\0';
	while (colon && t->until < AFTER_UNTIL_MAX && !streq(colon, after_until_name(t->until)))
		t->until++;
	(void)snprintf(t->after, sizeof(t->after), "%s", value);
	return t->until < AFTER_UNTIL_MAX;
}

static bool parse_word(char *word, struct testpod *t)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (streq(word, "policy")) {
		t->policy = streq(value, "never")       ? RESTART_POLICY_NEVER
		            : streq(value, "onfailure") ? RESTART_POLICY_ON_FAILURE
		                                        : RESTART_POLICY_ALWAYS;
	} else if (streq(word, "grace")) {
		t->grace = atoi(value);
	} else if (streq(word, "host")) {
		t->host = atoi(value);
	} else if (streq(word, "label")) {
		t->label = atoi(value);
	} else if (streq(word, "active")) {
		t->active = atoi(value);
	} else if (streq(word, "after")) {
		return parse_after(value, t);
	} else if (streq(word, "for")) {
		(void)snprintf(t->for_label, sizeof(t->for_label), "%s", value);
	} else if (streq(word, "rank")) {
		t->rank = atoi(value);
	} else if (streq(word, "class")) {
		(void)snprintf(t->class, sizeof(t->class), "%s", value);
	} else if (streq(word, "name")) {
		memset(t->name, 0, sizeof(t->name));
		(void)snprintf(t->name, sizeof(t->name), "%s", value);
	} else {
		return parse_container(word, value, t);
	}
	return true;
}

bool testpod_parse(const char *uid, char *words, struct testpod *ret)
{
	char *save = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->grace = 30;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", uid);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!parse_word(w, ret))
			return false;
	testpod_sort(ret);
	return ret->count > 0;
}

static void build_probe(const struct testpod_probe *from, enum probe_kind kind, struct probe *to)
{
	*to = (struct probe){ .set = from->failures != 0,
		              .delay = from->delay,
		              .timeout = 1,
		              .period = 10,
		              .successes = kind == PROBE_READINESS ? MAX(from->third, 1) : 1,
		              .failures = from->failures,
		              .grace_seconds = kind == PROBE_READINESS ? 0 : from->third };
}

static void build_container(struct arena *a, const struct testpod_container *from, struct container *to)
{
	to->name = arena_strdup(a, from->name);
	to->image = arena_printf(a, "image-%d", from->image);
	to->resources.limits.cpu = (struct quantity){ .nano = from->limit, .set = from->limit != 0 };
	to->restart = from->restart;
	struct hook *hooks[] = { &to->lifecycle.post_start, &to->lifecycle.pre_stop };
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		hooks[i]->set = from->hooks[i] != 0;
		hooks[i]->exec.set = from->hooks[i] < 0;
		hooks[i]->sleep.set = from->hooks[i] > 0;
		hooks[i]->sleep.seconds = MAX(from->hooks[i], 0);
	}
	struct probe *probes[] = { &to->startup, &to->readiness, &to->liveness };
	for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++)
		build_probe(&from->probes[kind], kind, probes[kind]);
	if (!from->rule.code)
		return;
	to->restart_rules.items = arena_new_array(a, struct restart_rule, 1);
	to->restart_rules.count = 1;
	to->restart_rules.items[0].action = from->rule.action;
	to->restart_rules.items[0].exit_codes.values = (struct int_list){ arena_new_array(a, int64_t, 1), 1 };
	to->restart_rules.items[0].exit_codes.values.items[0] = from->rule.code;
}

/* All words, as hexadecimal digits of a hash: there may be more of them than a hash of the manifest has characters. */
static void hash_words(const struct testpod *t, char hash[static SHA256_HEX_SIZE])
{
	_cleanup_buf_ struct buf words = BUF_NULL;

	buf_printf(&words, "%d.%d.%d.%d.%d", (int)t->policy, t->grace, t->host, t->label, t->active);
	for (size_t i = 0; i < t->count; i++) {
		const struct testpod_container *k = &t->containers[i];
		static const char *const roles[] = { "", "i.", "s.", "d." };
		buf_printf(&words, " %s%s=%d:%d", roles[k->role], k->name, k->image, k->limit);
		if (k->hooks[0] || k->hooks[1])
			buf_printf(&words, "<%d>%d", k->hooks[0], k->hooks[1]);
		for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++)
			if (k->probes[kind].failures)
				buf_printf(&words, "@%d%d,%d,%d", (int)kind, k->probes[kind].failures, k->probes[kind].delay,
				           k->probes[kind].third);
		if (k->rule.code || (k->restart && k->role != CONTAINER_ROLE_SIDECAR))
			buf_printf(&words, "/%d%d%d", (int)k->restart, (int)k->rule.action, k->rule.code);
	}
	if (*t->after)
		buf_printf(&words, " after=%s:%s", t->after, after_until_name(t->until));
	if (*t->for_label)
		buf_printf(&words, " for=%s", t->for_label);
	if (t->rank || *t->class)
		buf_printf(&words, " rank=%d%s", t->rank, t->class);
	if (words.len < SHA256_HEX_SIZE)
		(void)strcpy(hash, words.data); /* readable in a trace */
	else
		sha256_hex(words.data, words.len, hash);
}

struct pod *testpod_build(const struct testpod *t)
{
	struct arena *a = arena_new();
	struct pod *p = arena_alloc(a, sizeof(*p));

	p->arena = a;
	p->refs = 1;
	p->metadata.name = arena_strdup(a, t->name);
	p->metadata.namespace = "default";
	p->metadata.labels.items = arena_new_array(a, struct label, 1);
	p->metadata.labels.items[0] = (struct label){ "label", arena_printf(a, "%d", t->label) };
	p->metadata.labels.count = 1;
	p->spec.restart_policy = t->policy;
	p->spec.grace_seconds = t->grace;
	p->spec.hostname = arena_printf(a, "host-%d", t->host);
	p->spec.active_deadline_seconds = t->active;
	if (*t->after) {
		p->after = (struct after_list){ arena_new_array(a, struct after, 1), 1 };
		p->after.items[0] = (struct after){ .name = arena_strdup(a, t->after), .until = t->until };
	}
	if (*t->for_label) {
		p->spec.node_selector = (struct label_list){ arena_new_array(a, struct label, 1), 1 };
		p->spec.node_selector.items[0] = (struct label){ arena_strdup(a, t->for_label), "" };
	}
	p->spec.priority = t->rank;
	p->spec.priority_class = arena_strdup(a, t->class);
	size_t inits = 0, debug = 0;
	while (inits < t->count && t->containers[inits].role != CONTAINER_ROLE_MEMBER)
		inits++;
	while (inits + debug < t->count && t->containers[t->count - 1 - debug].role == CONTAINER_ROLE_DEBUG)
		debug++;
	struct container *all = arena_new_array(a, struct container, t->count);
	for (size_t i = 0; i < t->count; i++)
		build_container(a, &t->containers[i], &all[i]);
	p->spec.init_containers = (struct container_list){ all, inits };
	p->spec.containers = (struct container_list){ all + inits, t->count - inits - debug };
	p->spec.ephemeral = (struct container_list){ all + t->count - debug, debug };
	hash_words(t, p->hash);
	return p;
}
