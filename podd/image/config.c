#include "image/config.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/doc.h"
#include "image/limits.h"
#include "image/source.h"
#include "image/why.h"

void chain_id(const char *below, const char *diff_id, char ret[static IMAGE_LAYER_NAME_SIZE])
{
	char text[2 * IMAGE_DIGEST_SIZE + 1];

	if (*below) {
		(void)snprintf(text, sizeof(text), "sha256:%s %s", below, diff_id);
		sha256_hex(text, strlen(text), ret);
	} else {
		(void)strcpy(ret, str_after(diff_id, "sha256:"));
	}
}

static int check_list(const struct string_list *list, const char *what, size_t *total)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t n = strlen(list->items[i]) + 1;
		*total += n;
		if (n > LIMIT_ENV_STRING)
			return refuse("%s %zu of the configuration has more than %d bytes", what, i + 1, LIMIT_ENV_STRING);
	}
	return *total > LIMIT_ENV_TOTAL ? refuse("entrypoint, command and environment have more than %d bytes", LIMIT_ENV_TOTAL)
	                                : 0;
}

static int check_words(const struct image_config *c)
{
	size_t total = 0;
	int r = check_list(&c->entrypoint, "Entrypoint", &total);

	if (r == 0)
		r = check_list(&c->cmd, "Cmd", &total);
	if (r == 0)
		r = check_list(&c->env, "Env", &total);
	for (size_t i = 0; r == 0 && i < c->env.count; i++)
		if (c->env.items[i][0] == '=' || !strchr(c->env.items[i], '='))
			r = refuse("Env %zu of the configuration, \"%.40s\", is not NAME=value", i + 1, c->env.items[i]);
	return r;
}

static bool is_plain(const char *s, size_t max)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return strlen(s) <= max;
}

/* "SIGTERM", "TERM", "SIGRTMIN+3", "15". */
static bool is_signal(const char *s)
{
	const char *name = str_after(s, "SIG"), *offset;
	int64_t n;

	if (str_int(s, 1, SIGRTMAX, &n) == 0)
		return true;
	name = name ? name : s;
	offset = str_after(name, "RTMIN+");
	offset = offset ? offset : str_after(name, "RTMAX-");
	if (offset)
		return str_int(offset, 0, SIGRTMAX - SIGRTMIN, &n) == 0;
	for (int i = 1; i < SIGRTMIN; i++)
		if (sigabbrev_np(i) && streq(sigabbrev_np(i), name))
			return true;
	return streq(name, "RTMIN") || streq(name, "RTMAX");
}

static const char *text(const json_t *j, const char *key, struct image *i, bool *bad)
{
	const char *s = doc_string(j, key, bad);

	return s && *s ? arena_strdup(i->arena, s) : NULL;
}

static int read_run(const json_t *run, struct image *i)
{
	struct image_config *c = &i->config;
	bool bad = false;
	size_t labels = 0;

	c->entrypoint = doc_strings(run, "Entrypoint", i->arena, &bad);
	c->cmd = doc_strings(run, "Cmd", i->arena, &bad);
	c->env = doc_strings(run, "Env", i->arena, &bad);
	c->working_dir = text(run, "WorkingDir", i, &bad);
	c->user = text(run, "User", i, &bad);
	c->stop_signal = text(run, "StopSignal", i, &bad);
	i->labels = doc_labels(run, "Labels", i->arena, &bad);
	if (bad)
		return refuse("the configuration's \"config\" has a member of another type, or with more than %d items",
		              DOC_LIST_MAX);
	for (size_t k = 0; k < i->labels.count; k++)
		labels += strlen(i->labels.items[k].name) + strlen(i->labels.items[k].value);
	if (labels > LIMIT_LABELS)
		return refuse("the labels have more than %d bytes", LIMIT_LABELS);
	if (c->working_dir && (*c->working_dir != '/' || !is_plain(c->working_dir, LIMIT_NAME)))
		return refuse("WorkingDir \"%.80s\" is no absolute path", c->working_dir);
	if (c->user && !is_plain(c->user, LIMIT_COMPONENT))
		return refuse("User \"%.80s\" is no name or number", c->user);
	if (c->stop_signal && !is_signal(c->stop_signal))
		return refuse("StopSignal \"%.80s\" is no signal", c->stop_signal);
	return check_words(c);
}

static int read_layers(const json_t *j, struct image *i)
{
	bool bad = false;
	json_t *rootfs = doc_object(j, "rootfs", &bad);
	struct string_list diffs = doc_strings(rootfs, "diff_ids", i->arena, &bad);

	if (bad || !diffs.count || diffs.count > IMAGE_LAYERS_MAX)
		return refuse("the configuration names no layers (rootfs.diff_ids), or more than %d", IMAGE_LAYERS_MAX);
	i->layer_count = diffs.count;
	i->diff_ids = diffs.items;
	i->layers = arena_new_array(i->arena, const char *, diffs.count);
	for (size_t k = 0; k < diffs.count; k++) {
		char chain[IMAGE_LAYER_NAME_SIZE];
		if (!image_digest_valid(diffs.items[k]))
			return refuse("the diff ID of layer %zu is not sha256: and 64 digits of 0-9a-f", k + 1);
		chain_id(k ? i->layers[k - 1] : "", diffs.items[k], chain);
		i->layers[k] = arena_strdup(i->arena, chain);
	}
	return 0;
}

static int64_t read_time(const char *s)
{
	struct tm tm = { 0 };

	return s && strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * NS_PER_SEC : 0;
}

int config_read(const char *json, size_t size, struct image *i)
{
	char digest[IMAGE_DIGEST_SIZE];
	const char *why;
	bool bad = false;
	_cleanup_json_ json_t *j = doc_load(json, size, &why);

	if (!j)
		return refuse("the configuration %s", why);
	digest_of(json, size, digest);
	i->id = arena_strdup(i->arena, digest);
	i->architecture = text(j, "architecture", i, &bad);
	i->os = text(j, "os", i, &bad);
	i->created = read_time(doc_string(j, "created", &bad));
	json_t *run = doc_object(j, "config", &bad);
	if (bad || !is_plain(i->os ? i->os : "", 64) || !is_plain(i->architecture ? i->architecture : "", 64))
		return refuse("the configuration has a member of another type");
	if (i->os && !streq(i->os, "linux"))
		return refuse("an image for %s", i->os);
	int r = read_layers(j, i);
	return r < 0 ? r : read_run(run, i);
}
