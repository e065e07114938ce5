#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"

static const struct {
	const char *name;
	int syslog; /* sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};
_Static_assert(ARRAY_SIZE(levels) == LOG_LEVEL_MAX, "a name for each level");

static struct {
	enum log_level level;
	bool json, journal;
} log_state = { .level = LOG_LEVEL_INFO };

void log_setup(enum log_level level, bool json)
{
	log_state.level = level;
	log_state.json = json;
	log_state.journal = getenv("JOURNAL_STREAM") != NULL;
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (enum log_level l = 0; l < LOG_LEVEL_MAX; l++)
		if (streq(levels[l].name, name)) {
			*ret = l;
			return 0;
		}
	return -EINVAL;
}

bool log_enabled(enum log_level level)
{
	return level <= log_state.level;
}

static void format_kv(struct buf *out, enum log_level level, const char *pod, const char *text)
{
	char stamp[CLOCK_TEXT_NS_SIZE];

	if (log_state.journal) {
		buf_printf(out, "<%d>", levels[level].syslog);
	} else {
		clock_text_ns(clock_wall(), stamp);
		buf_printf(out, "time=%s ", stamp);
	}
	buf_printf(out, "level=%s ", levels[level].name);
	if (pod)
		buf_printf(out, "pod=%s ", pod);
	buf_puts(out, "msg=\"");
	str_escape(out, text);
	buf_puts(out, "\"\n");
}

static void format_json(struct buf *out, enum log_level level, const char *pod, const char *text)
{
	char stamp[CLOCK_TEXT_NS_SIZE];
	struct jsonw w;

	clock_text_ns(clock_wall(), stamp);
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_member_str(&w, "time", stamp);
	jsonw_member_str(&w, "level", levels[level].name);
	if (pod)
		jsonw_member_str(&w, "pod", pod);
	jsonw_member_str(&w, "msg", text);
	jsonw_end(&w);
	buf_putc(out, '\n');
}

void log_write(enum log_level level, const char *pod, const char *fmt, ...)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	char text[2048];
	va_list ap;

	if (!log_enabled(level))
		return;
	int saved = errno;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_state.json)
		format_json(&line, level, pod, text);
	else
		format_kv(&line, level, pod, text);
	(void)fd_write_all(STDERR_FILENO, line.data, line.len); /* nowhere to report a failure to */
	errno = saved;
}
