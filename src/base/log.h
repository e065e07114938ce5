/* The log of a program, on stderr: one line an entry, key=value by default or JSON. Floors 0 to 3 never log; programs do, once,
 * where the decision is made. A message about a failure that does not stop the work ends in ", ignoring" or says what follows. */
#pragma once
#include <stdbool.h>
#include "base/cleanup.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_MAX,
};

/* Lines to a journal start with the <N> of sd-daemon(3); elsewhere with a time stamp. Set from $JOURNAL_STREAM. */
void log_setup(enum log_level level, bool json);
int log_level_parse(const char *name, enum log_level *ret); /* -EINVAL */
bool log_enabled(enum log_level level);

/* `pod` ("ns/name") may be NULL: the key is left out then. */
void log_write(enum log_level level, const char *pod, const char *fmt, ...) _printf_(3, 4);

#define log_error(...) log_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...)                                                 \
	do {                                                           \
		if (log_enabled(LOG_LEVEL_DEBUG))                      \
			log_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__); \
	} while (0)
