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
	return memcmp(&x, &y, sizeof(x)) == 0;
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
	} else if (streq(word, "name")) {
		memset(t->name, 0, sizeof(t->name));
		(void)snprintf(t->name, sizeof(t->name), "%s", value);
	} else {
		if (t->count == TESTPOD_CONTAINERS_MAX)
			return false;
		struct testpod_container *k = &t->containers[t->count++];
		(void)snprintf(k->name, sizeof(k->name), "%s", word);
		k->image = atoi(value);
		k->limit = strchr(value, ':') ? atoi(strchr(value, ':') + 1) : 0;
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
	return ret->count > 0;
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
	p->spec.containers.items = arena_new_array(a, struct container, t->count);
	p->spec.containers.count = t->count;
	size_t at = (size_t)snprintf(p->hash, sizeof(p->hash), "%d.%d.%d.%d", (int)t->policy, t->grace, t->host, t->label);
	for (size_t i = 0; i < t->count; i++) {
		const struct testpod_container *from = &t->containers[i];
		struct container *to = &p->spec.containers.items[i];
		to->name = arena_strdup(a, from->name);
		to->image = arena_printf(a, "image-%d", from->image);
		to->resources.limits.cpu = (struct quantity){ .nano = from->limit, .set = from->limit != 0 };
		at += (size_t)snprintf(p->hash + at, sizeof(p->hash) - at, ".%.6s=%d:%d", from->name, from->image, from->limit);
		if (at >= sizeof(p->hash))
			abort(); /* the words would not tell versions apart */
	}
	return p;
}
