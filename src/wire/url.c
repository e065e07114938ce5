#include "wire/url.h"
#include <strings.h>
#include "base/alloc.h"
#include "base/str.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

/* Decodes in place. '+' is a blank in a query only. */
static int unescape(char *s, bool query)
{
	char *out = s;

	for (; *s; s++) {
		if (*s == '+' && query) {
			*out++ = ' ';
		} else if (*s == '%') {
			int high = hex_digit(s[1]), low = high < 0 ? high : hex_digit(s[2]);
			if (low < 0 || (high == 0 && low == 0))
				return -EINVAL;
			*out++ = (char)(high << 4 | low);
			s += 2;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
	return 0;
}

static int parse_path(char *path, struct url *u)
{
	for (char *next = path; next;) {
		char *segment = next;

		next = strchr(segment, '/');
		if (next)
			*next++ = '\0';
		if (!*segment) /* "//" and a slash at the end mean nothing */
			continue;
		if (u->segment_count == URL_SEGMENTS_MAX)
			return -E2BIG;
		int r = unescape(segment, /* query= */ false);
		if (r < 0)
			return r;
		u->segments[u->segment_count++] = segment;
	}
	return 0;
}

static int parse_query(char *query, struct url *u)
{
	for (char *next = query; next;) {
		char *name = next;

		next = strchr(name, '&');
		if (next)
			*next++ = '\0';
		if (!*name)
			continue;
		if (u->param_count == URL_PARAMS_MAX)
			return -E2BIG;
		char *value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		else
			value = name + strlen(name);
		int r = unescape(name, /* query= */ true);
		if (r == 0)
			r = unescape(value, /* query= */ true);
		if (r < 0)
			return r;
		*xgrow(u->params, u->param_count) = (struct url_param){ name, value };
	}
	return 0;
}

int url_parse(const char *target, struct url *ret)
{
	struct url u = { 0 };

	if (target[0] != '/')
		return -EINVAL;
	u.text = xstrdup(target);
	u.text[strcspn(u.text, "#")] = '\0';
	char *query = strchr(u.text, '?');
	if (query)
		*query++ = '\0';
	int r = parse_path(u.text, &u);
	if (r == 0)
		r = parse_query(query, &u);
	if (r < 0) {
		url_deinit(&u);
		return r;
	}
	*ret = u;
	return 0;
}

void url_deinit(struct url *u)
{
	free(u->text);
	free(u->params);
	*u = URL_NULL;
}

const char *url_param(const struct url *u, const char *name)
{
	for (size_t i = 0; i < u->param_count; i++)
		if (streq(u->params[i].name, name))
			return u->params[i].value;
	return NULL;
}

bool url_bool(const struct url *u, const char *name)
{
	const char *v = url_param(u, name);

	return v && !streq(v, "0") && strcasecmp(v, "false") != 0;
}

void url_escape(struct buf *out, const char *s)
{
	for (; *s; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-._~", *s);
		if (plain)
			buf_putc(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

void url_add(struct buf *out, const char *name, const char *value)
{
	buf_putc(out, strchr(buf_str(out), '?') ? '&' : '?');
	url_escape(out, name);
	buf_putc(out, '=');
	url_escape(out, value);
}
