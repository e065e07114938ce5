/* podctl's command line. The options of all verbs live in one table (args.c); a verb says which of them it takes, so that a letter
 * may mean different things to different verbs (-f follows or names a file). Options stand anywhere before "--". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGS_FILES_MAX = 256 };

enum option {
	OPTION_ROOT,
	OPTION_SOCKET,
	OPTION_MANIFESTS,
	OPTION_HELP,
	OPTION_NAMESPACE,
	OPTION_ALL_NAMESPACES,
	OPTION_SELECTOR,
	OPTION_OUTPUT,
	OPTION_CONTAINER,
	OPTION_FILE,
	OPTION_FOLLOW,
	OPTION_PREVIOUS,
	OPTION_TAIL,
	OPTION_SINCE,
	OPTION_TIMESTAMPS,
	OPTION_ALL_CONTAINERS,
	OPTION_PREFIX,
	OPTION_STDIN,
	OPTION_TTY,
	OPTION_ALL,
	OPTION_FOR,
	OPTION_TIMEOUT,
	OPTION_WAIT,
	OPTION_PORTABLE,
	OPTION_WATCH,
	OPTION_ONCE,
	OPTION_ADDRESS,
	OPTION_FROM,
	OPTION_IMAGE,
	OPTION_TARGET,
	OPTION_PROFILE,
	OPTION_MAX,
};

#define TAKES(option) (UINT32_C(1) << (option))

struct args {
	const char *root, *socket, *manifests, *namespace, *selector, *output, *container, *tail, *since, *condition, *timeout,
		*address, *from, *image, *target, *profile;
	const char *files[ARGS_FILES_MAX];
	size_t file_count;
	bool help, all_namespaces, follow, previous, timestamps, all_containers, prefix, stdin, tty, all, wait, portable, watch,
		once;
	const char **words; /* what is neither option nor command */
	size_t word_count;
	char **command; /* after "--"; NULL when there is no "--" */
	size_t command_count;
};

/* Takes argv apart. `options`: a mask of TAKES(); the first four are always taken. 0, or -EINVAL after a message on stderr. */
int args_parse(int argc, char **argv, const char *verb, uint32_t options, struct args *ret);
void args_deinit(struct args *a);

/* The verb of a command line: the first word that is neither an option nor the value of one; its index, or 0 if there is none. */
int args_find_verb(int argc, char **argv);

struct option_name {
	const char *name;
	char letter; /* 0: none */
	bool value;
};
struct option_name args_option(enum option o);
