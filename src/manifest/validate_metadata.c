/* Labels, annotations, and podd's own annotations: a closed list, so that a slip of the hand doesn't go unnoticed. */
#include <errno.h>
#include <signal.h>
#include "base/clock.h"
#include "base/str.h"
#include "manifest/cdi.h"
#include "manifest/check.h"
#include "manifest/ulimit.h"
#include "manifest/validate.h"

static bool backoff_part(struct pod_backoff *b, const char *name, int64_t ns)
{
	int64_t *part = streq(name, "initial") ? &b->initial
	                : streq(name, "max")   ? &b->max
	                : streq(name, "reset") ? &b->reset
	                                       : NULL;

	if (!part || *part)
		return false;
	*part = ns;
	return true;
}

/* "initial=100ms, max=30s, reset=10m", each at most once. NULL, or what is wrong with it. */
static const char *parse_backoff(struct arena *a, const char *text, struct pod_backoff *ret)
{
	struct pod_backoff b = { 0 };
	int64_t ns;

	while (*text) {
		text += strspn(text, " ,");
		size_t n = strcspn(text, ",");
		char *part = arena_strndup(a, text, n), *value = strchr(part, '=');
		text += n;
		while (n && part[n - 1] == ' ')
			part[--n] = '\0';
		if (!n)
			continue;
		if (!value)
			return "must be a list of name=duration";
		*value++ = '\0';
		if (str_duration(value, &ns) < 0 || ns < NS_PER_MS || ns > 24 * 3600 * NS_PER_SEC)
			return "durations must be between 1ms and 24h";
		if (!backoff_part(&b, part, ns))
			return "the names are initial, max and reset, each at most once";
	}
	if (b.initial && b.max && b.initial > b.max)
		return "initial must not be greater than max";
	*ret = b;
	return NULL;
}

/* "none", "restart", or a signal that programs take as "look again". False: none of these. */
static bool parse_config_change(const char *text, struct pod_config_change *ret)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "SIGHUP", SIGHUP },   { "SIGUSR1", SIGUSR1 }, { "SIGUSR2", SIGUSR2 },   { "SIGINT", SIGINT },
		{ "SIGQUIT", SIGQUIT }, { "SIGTERM", SIGTERM }, { "SIGWINCH", SIGWINCH }, { "SIGCONT", SIGCONT },
	};

	*ret = (struct pod_config_change){ .restart = streq(text, "restart") };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (streq(text, signals[i].name) || streq(text, str_after(signals[i].name, "SIG")))
			ret->signal = signals[i].number;
	return ret->restart || ret->signal || streq(text, "none");
}

static const char *parse_swap(const char *text, enum swap *ret)
{
	if (!streq(text, "none") && !streq(text, "limited"))
		return "must be none or limited";
	*ret = streq(text, "limited") ? SWAP_LIMITED : SWAP_NONE;
	return NULL;
}

static const char *parse_period(const char *text, int64_t *ret)
{
	int64_t ns;

	if (str_duration(text, &ns) < 0 || ns < 50 * NS_PER_MS || ns > 3600 * NS_PER_SEC)
		return "must be a duration between 50ms and 1h";
	*ret = ns;
	return NULL;
}

static const char *parse_tty(struct arena *a, const char *text, const char **ret)
{
	struct finding found;

	if (!*text || !check_relative_path(&(struct value){ .text = text }, a, &found))
		return "must be the name of a terminal below /dev";
	*ret = text;
	return NULL;
}

/* "db, net/dhcp, setup:completed"; on the arena of the pod. NULL, or what is wrong with it. */
static const char *parse_after(struct arena *a, const char *text, const struct pod_metadata *self, struct after_list *ret)
{
	struct after_list list = { arena_new_array(a, struct after, AFTER_PODS_MAX), 0 };
	char *save = NULL;

	for (char *s = strtok_r(arena_strdup(a, text), ", ", &save); s; s = strtok_r(NULL, ", ", &save)) {
		struct after *after = &list.items[list.count];
		char *slash = strchr(s, '/'), *until = strchr(s, ':');
		if (list.count++ == AFTER_PODS_MAX)
			return arena_printf(a, "must name at most %d pods", AFTER_PODS_MAX);
		if (until) {
			*until++ = '\0';
			while (after->until < AFTER_UNTIL_MAX && !streq(until, after_until_name(after->until)))
				after->until++;
			if (after->until == AFTER_UNTIL_MAX)
				return "what follows the colon is ready, started or completed";
		}
		if (slash) {
			*slash = '\0';
			after->namespace = s;
			s = slash + 1;
		}
		after->name = s;
		if (!is_dns_subdomain(s) || (slash && !is_dns_label(after->namespace, strlen(after->namespace))))
			return "must be a list of names of pods";
		if (streq0(s, self->name) && (!slash || streq0(after->namespace, self->namespace)))
			return "a pod can't come after itself";
	}
	*ret = list;
	return NULL;
}

static const char *const podd_keys[] = {
	"after", "restart-backoff", "on-config-change", "probe-period", "ulimits", "swap", "devices", "tty", "critical"
};

static void unknown_podd_key(struct decoder *d, const struct node *where, const char *key)
{
	const char *hint = "those that podd knows are listed in podd-manifest(5)";

	for (size_t i = 0; i < ARRAY_SIZE(podd_keys); i++)
		if (str_distance(key, podd_keys[i], 2) <= 2)
			hint = arena_printf(d->m->arena, "did you mean \"podd.dev/%s\"?", podd_keys[i]);
	decoder_find(d, SEVERITY_ERROR, where, hint, "unknown annotation of podd");
}

static void validate_podd_annotation(struct decoder *d, const struct label *l, const char *key, struct pod *p)
{
	const struct node *where = decoder_place(d, &l->name);
	const char *text = NULL, *example = NULL;

	if (streq(key, "restart-backoff")) {
		text = parse_backoff(d->m->arena, l->value, &p->backoff);
		example = "as in initial=100ms, max=30s, reset=10m";
	} else if (streq(key, "probe-period")) {
		text = parse_period(l->value, &p->probe_period);
		example = "as in 250ms";
	} else if (streq(key, "after")) {
		text = parse_after(d->arena, l->value, &p->metadata, &p->after);
		example = "as in db, net/dhcp, setup:completed";
	} else if (streq(key, "swap")) {
		text = parse_swap(l->value, &p->swap);
		example = "none is the default";
	} else if (streq(key, "ulimits")) {
		text = ulimits_parse(d->arena, l->value, &p->ulimits);
		example = "as in nofile=65536:524288, core=0";
	} else if (streq(key, "devices")) {
		text = cdi_names_parse(d->arena, l->value, &p->devices);
		example = "as in vendor.com/class=name, vendor.com/class=other";
	}
	if (streq(key, "tty")) {
		text = parse_tty(d->arena, l->value, &p->tty);
		example = "as in ttyS0";
	}
	if (streq(key, "on-config-change")) {
		if (!parse_config_change(l->value, &p->config_change))
			decoder_find(d, SEVERITY_ERROR, decoder_place(d, &l->value), NULL,
			             "Unsupported value: \"%.80s\": supported values: none, restart, or one of SIGHUP, SIGUSR1, "
			             "SIGUSR2, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGCONT",
			             l->value);
		return;
	}
	if (text)
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, &l->value), example, "Invalid value: \"%.80s\": %s", l->value,
		             text);
	if (example)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(podd_keys); i++)
		if (streq(key, podd_keys[i])) {
			decoder_find(d, SEVERITY_REFUSED, where, "leave it out", "not yet supported by this podd");
			return;
		}
	unknown_podd_key(d, where, key);
}

/* How a container's AppArmor profile was given before it had a field, which the kubelet still takes of static pods. The field comes first,
 * the pod's profile last. */
static void app_armor_annotation(struct decoder *d, const struct label *l, const char *name, struct pod *p)
{
	struct container *c = (struct container *)pod_container(p, name);
	const char *localhost = str_after(l->value, "localhost/");
	struct security_profile profile = { .set = true };

	if (!c) {
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, &l->name), NULL, "Invalid value: \"%.63s\": container not found",
		             name);
		return;
	}
	if (localhost && *localhost) {
		profile.type = PROFILE_LOCALHOST;
		profile.localhost_profile = localhost;
	} else if (streq(l->value, "unconfined")) {
		profile.type = PROFILE_UNCONFINED;
	} else if (!streq(l->value, "runtime/default")) {
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, &l->value), "securityContext.appArmorProfile has taken its place",
		             "Invalid value: \"%.80s\": must be runtime/default, unconfined or localhost/PROFILE", l->value);
		return;
	}
	if (!c->security.app_armor.set)
		c->security.app_armor = profile;
}

static void validate_labels(struct decoder *d, const struct label_list *labels)
{
	struct finding found;

	path_key(&d->path, "labels");
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *l = &labels->items[i];
		path_map_key(&d->path, l->name);
		if (!check_qualified_name(l->name, d->m->arena, &found))
			decoder_find(d, found.severity, decoder_place(d, &l->name), found.hint, "%s", found.text);
		if (!check_label_value(l->value, d->m->arena, &found))
			decoder_find(d, found.severity, decoder_place(d, &l->value), found.hint, "%s", found.text);
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

/* Keys of annotations are checked in lower case: Kubernetes lets them differ there from labels. */
static const char *lower(struct arena *a, const char *s)
{
	char *copy = arena_strdup(a, s);

	for (char *p = copy; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return copy;
}

/* p: the pod they are of, or NULL. */
static void validate_annotations(struct decoder *d, const struct label_list *annotations, struct pod *p)
{
	struct finding found;
	size_t total = 0;

	path_key(&d->path, "annotations");
	for (size_t i = 0; i < annotations->count; i++) {
		const struct label *l = &annotations->items[i];
		const char *key = str_after(l->name, "podd.dev/"),
			   *app_armor = str_after(l->name, "container.apparmor.security.beta.kubernetes.io/");
		total += strlen(l->name) + strlen(l->value);
		path_map_key(&d->path, l->name);
		if (!check_qualified_name(lower(d->m->arena, l->name), d->m->arena, &found))
			decoder_find(d, found.severity, decoder_place(d, &l->name), found.hint, "%s", found.text);
		else if (key && p)
			validate_podd_annotation(d, l, key, p);
		else if (app_armor && p)
			app_armor_annotation(d, l, app_armor, p);
		path_pop(&d->path);
	}
	if (total > ANNOTATIONS_SIZE_MAX)
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, annotations), NULL, "Too long: may not be more than %d bytes",
		             ANNOTATIONS_SIZE_MAX);
	path_pop(&d->path);
}

void validate_metadata(struct decoder *d, struct pod *p)
{
	path_key(&d->path, "metadata");
	validate_labels(d, &p->metadata.labels);
	validate_annotations(d, &p->metadata.annotations, p);
	path_pop(&d->path);
}

void validate_object_metadata(struct decoder *d, const struct pod_metadata *m)
{
	path_key(&d->path, "metadata");
	validate_labels(d, &m->labels);
	validate_annotations(d, &m->annotations, NULL);
	path_pop(&d->path);
}
