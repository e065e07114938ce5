#include "ctl/args.h"
#include <stdio.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/str.h"

enum kind { KIND_FLAG, KIND_TEXT, KIND_LIST };

static const struct {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	size_t offset;
} table[] = {
	[OPTION_ROOT] = { "root", 0, KIND_TEXT, offsetof(struct args, root) },
	[OPTION_SOCKET] = { "socket", 0, KIND_TEXT, offsetof(struct args, socket) },
	[OPTION_MANIFESTS] = { "manifests", 0, KIND_TEXT, offsetof(struct args, manifests) },
	[OPTION_HELP] = { "help", 'h', KIND_FLAG, offsetof(struct args, help) },
	[OPTION_NAMESPACE] = { "namespace", 'n', KIND_TEXT, offsetof(struct args, namespace) },
	[OPTION_ALL_NAMESPACES] = { "all-namespaces", 'A', KIND_FLAG, offsetof(struct args, all_namespaces) },
	[OPTION_SELECTOR] = { "selector", 'l', KIND_TEXT, offsetof(struct args, selector) },
	[OPTION_OUTPUT] = { "output", 'o', KIND_TEXT, offsetof(struct args, output) },
	[OPTION_CONTAINER] = { "container", 'c', KIND_TEXT, offsetof(struct args, container) },
	[OPTION_FILE] = { "filename", 'f', KIND_LIST, offsetof(struct args, files) },
	[OPTION_FOLLOW] = { "follow", 'f', KIND_FLAG, offsetof(struct args, follow) },
	[OPTION_PREVIOUS] = { "previous", 'p', KIND_FLAG, offsetof(struct args, previous) },
	[OPTION_TAIL] = { "tail", 0, KIND_TEXT, offsetof(struct args, tail) },
	[OPTION_SINCE] = { "since", 0, KIND_TEXT, offsetof(struct args, since) },
	[OPTION_TIMESTAMPS] = { "timestamps", 0, KIND_FLAG, offsetof(struct args, timestamps) },
	[OPTION_ALL_CONTAINERS] = { "all-containers", 0, KIND_FLAG, offsetof(struct args, all_containers) },
	[OPTION_PREFIX] = { "prefix", 0, KIND_FLAG, offsetof(struct args, prefix) },
	[OPTION_STDIN] = { "stdin", 'i', KIND_FLAG, offsetof(struct args, stdin) },
	[OPTION_TTY] = { "tty", 't', KIND_FLAG, offsetof(struct args, tty) },
	[OPTION_ALL] = { "all", 0, KIND_FLAG, offsetof(struct args, all) },
	[OPTION_FOR] = { "for", 0, KIND_TEXT, offsetof(struct args, condition) },
	[OPTION_TIMEOUT] = { "timeout", 0, KIND_TEXT, offsetof(struct args, timeout) },
	[OPTION_FROM] = { "from", 0, KIND_TEXT, offsetof(struct args, from) },
	[OPTION_IMAGE] = { "image", 0, KIND_TEXT, offsetof(struct args, image) },
	[OPTION_TARGET] = { "target", 0, KIND_TEXT, offsetof(struct args, target) },
	[OPTION_PROFILE] = { "profile", 0, KIND_TEXT, offsetof(struct args, profile) },
	[OPTION_WAIT] = { "wait", 0, KIND_FLAG, offsetof(struct args, wait) },
	[OPTION_PORTABLE] = { "portable", 0, KIND_FLAG, offsetof(struct args, portable) },
	[OPTION_WATCH] = { "watch", 'w', KIND_FLAG, offsetof(struct args, watch) },
	[OPTION_ONCE] = { "once", 0, KIND_FLAG, offsetof(struct args, once) },
	[OPTION_ADDRESS] = { "address", 0, KIND_TEXT, offsetof(struct args, address) },
};
_Static_assert(ARRAY_SIZE(table) == OPTION_MAX, "an entry for each option");
_Static_assert(OPTION_MAX <= 32, "the mask has room");

enum { ALWAYS = TAKES(OPTION_ROOT) | TAKES(OPTION_SOCKET) | TAKES(OPTION_MANIFESTS) | TAKES(OPTION_HELP) };

struct option_name args_option(enum option o)
{
	return (struct option_name){ table[o].name, table[o].letter, table[o].kind != KIND_FLAG };
}

static enum option find_long(const char *name, size_t n, uint32_t options)
{
	for (enum option o = 0; o < OPTION_MAX; o++)
		if ((options & TAKES(o)) && strlen(table[o].name) == n && memcmp(table[o].name, name, n) == 0)
			return o;
	return OPTION_MAX;
}

static enum option find_letter(char letter, uint32_t options)
{
	for (enum option o = 0; o < OPTION_MAX; o++)
		if ((options & TAKES(o)) && table[o].letter == letter)
			return o;
	return OPTION_MAX;
}

static int store_flag(struct args *a, enum option o, const char *value)
{
	if (value && !streq(value, "true") && !streq(value, "false")) {
		(void)fprintf(stderr, "podctl: --%s is true or false\n", table[o].name);
		return -EINVAL;
	}
	*(bool *)((char *)a + table[o].offset) = !value || streq(value, "true");
	return 0;
}

static int store_value(struct args *a, enum option o, const char *value)
{
	if (!value) {
		(void)fprintf(stderr, "podctl: --%s needs a value\n", table[o].name);
		return -EINVAL;
	}
	if (table[o].kind == KIND_TEXT) {
		*(const char **)((char *)a + table[o].offset) = value;
	} else if (a->file_count == ARGS_FILES_MAX) {
		(void)fprintf(stderr, "podctl: more than %d times --%s\n", ARGS_FILES_MAX, table[o].name);
		return -EINVAL;
	} else {
		a->files[a->file_count++] = value;
	}
	return 0;
}

static int unknown(const char *text, const char *verb)
{
	(void)fprintf(stderr, "podctl: %s does not know the option %s; see podctl %s --help\n", verb, text, verb);
	return -EINVAL;
}

/* "--name", "--name=value", "--name value". *i is moved past a value that stands by itself. */
static int parse_long(struct args *a, int argc, char **argv, int *i, const char *verb, uint32_t options)
{
	const char *name = argv[*i] + 2;
	size_t n = strcspn(name, "=");
	const char *value = name[n] ? name + n + 1 : NULL;
	enum option o = find_long(name, n, options);

	if (o == OPTION_MAX)
		return unknown(argv[*i], verb);
	if (table[o].kind == KIND_FLAG)
		return store_flag(a, o, value);
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	return store_value(a, o, value);
}

/* "-it", "-nweb", "-n web", "-n=web". */
static int parse_letters(struct args *a, int argc, char **argv, int *i, const char *verb, uint32_t options)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		enum option o = find_letter(*p, options);
		if (o == OPTION_MAX)
			return unknown(argv[*i], verb);
		if (table[o].kind == KIND_FLAG) {
			(void)store_flag(a, o, NULL);
			continue;
		}
		if (p[1])
			return store_value(a, o, p[1] == '=' ? p + 2 : p + 1);
		return store_value(a, o, *i + 1 < argc ? argv[++*i] : NULL);
	}
	return 0;
}

int args_parse(int argc, char **argv, const char *verb, uint32_t options, struct args *ret)
{
	struct args a = { .wait = true };
	int r = 0, verb_at = args_find_verb(argc, argv);

	options |= ALWAYS;
	for (int i = 1; i < argc && r == 0; i++) {
		if (streq(argv[i], "--")) {
			a.command = argv + i + 1;
			a.command_count = (size_t)(argc - i - 1);
			break;
		}
		if (str_after(argv[i], "--"))
			r = parse_long(&a, argc, argv, &i, verb, options);
		else if (argv[i][0] == '-' && argv[i][1])
			r = parse_letters(&a, argc, argv, &i, verb, options);
		else if (i != verb_at)
			*xgrow(a.words, a.word_count) = argv[i];
	}
	if (r < 0) {
		args_deinit(&a);
		return r;
	}
	if (!a.root)
		a.root = "/";
	*ret = a;
	return 0;
}

void args_deinit(struct args *a)
{
	free(a->words);
	a->words = NULL;
}

/* Before the verb is known only options that mean the same to all verbs can be told from it. */
int args_find_verb(int argc, char **argv)
{
	static const uint32_t common = ALWAYS | TAKES(OPTION_NAMESPACE) | TAKES(OPTION_ALL_NAMESPACES) | TAKES(OPTION_SELECTOR) |
	                               TAKES(OPTION_OUTPUT) | TAKES(OPTION_CONTAINER);

	for (int i = 1; i < argc && !streq(argv[i], "--"); i++) {
		const char *s = argv[i];
		enum option o = OPTION_MAX;
		if (s[0] != '-' || !s[1])
			return i;
		if (s[1] == '-' && !strchr(s, '='))
			o = find_long(s + 2, strlen(s + 2), common);
		else if (s[1] != '-' && !s[2])
			o = find_letter(s[1], common);
		if (o != OPTION_MAX && table[o].kind != KIND_FLAG)
			i++; /* its value */
	}
	return 0;
}
