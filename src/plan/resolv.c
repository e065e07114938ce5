#include "plan/resolv.h"
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"

enum { SERVERS_MAX = 3, SEARCHES_MAX = 32, SEARCHES_SIZE_MAX = 2048 };

struct resolv {
	struct arena *arena;
	struct string_list servers, searches, options;
};

static size_t name_length(const char *option)
{
	return strcspn(option, ":");
}

static size_t whole(const char *word)
{
	return strlen(word);
}

/* One word more, or in place of the one that is the same as far as `length` goes. */
static void put(struct string_list *l, const char *word, size_t (*length)(const char *word))
{
	size_t n = length(word);

	for (size_t i = 0; i < l->count; i++)
		if (length(l->items[i]) == n && memcmp(l->items[i], word, n) == 0) {
			l->items[i] = word;
			return;
		}
	*xgrow(l->items, l->count) = word;
}

/* As resolv.conf(5) has it: of several search or domain lines the last one holds. */
static void read_host(struct resolv *r, const char *host)
{
	char *lines, *words, *text = arena_strdup(r->arena, host);

	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		const char *key = strtok_r(line, " \t\r", &words), *word;
		struct string_list *list;
		if (streq0(key, "nameserver"))
			list = &r->servers;
		else if (streq0(key, "options"))
			list = &r->options;
		else if (streq0(key, "search") || streq0(key, "domain"))
			list = &r->searches;
		else
			continue;
		if (list == &r->searches)
			list->count = 0;
		while ((word = strtok_r(NULL, " \t\r", &words)))
			put(list, word, list == &r->options ? name_length : whole);
	}
}

static void read_pod(struct resolv *r, const struct dns_config *c)
{
	for (size_t i = 0; i < c->nameservers.count; i++)
		put(&r->servers, c->nameservers.items[i], whole);
	for (size_t i = 0; i < c->searches.count; i++)
		put(&r->searches, c->searches.items[i], whole);
	for (size_t i = 0; i < c->options.count; i++) {
		const struct label *o = &c->options.items[i];
		put(&r->options, o->value && *o->value ? arena_printf(r->arena, "%s:%s", o->name, o->value) : o->name, name_length);
	}
}

static void print_line(struct buf *out, const char *key, const struct string_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		buf_printf(out, "%s %s", i ? "" : key, l->items[i]);
	if (l->count)
		buf_putc(out, '\n');
}

void resolv_conf(const struct pod *p, const char *host, struct buf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct resolv r = { .arena = a };
	size_t size = 0, fit = 0;

	if (!streq0(p->spec.dns_policy, "None"))
		read_host(&r, host);
	read_pod(&r, &p->spec.dns_config);
	for (; fit < MIN(r.searches.count, SEARCHES_MAX); fit++) {
		size += strlen(r.searches.items[fit]) + (fit > 0);
		if (size > SEARCHES_SIZE_MAX)
			break;
	}
	r.searches.count = fit;
	print_line(out, "search", &r.searches);
	for (size_t i = 0; i < MIN(r.servers.count, SERVERS_MAX); i++)
		buf_printf(out, "nameserver %s\n", r.servers.items[i]);
	print_line(out, "options", &r.options);
	free(r.servers.items);
	free(r.searches.items);
	free(r.options.items);
}
