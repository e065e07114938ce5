#include "ctl/ctl.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/str.h"
#include "ctl/yamlout.h"
#include "wire/url.h"

int ctl_fail(int code, const char *fmt, ...)
{
	_cleanup_buf_ struct buf safe = BUF_NULL;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_escape(&safe, text);
	(void)fprintf(stderr, "podctl: %s\n", buf_str(&safe));
	return code;
}

void ctl_flush(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		exit(ctl_fail(CTL_NO, "can't write: %s", strerror(errno)));
}

int pod_ref_parse(const struct args *a, const char *text, struct pod_ref *ret)
{
	static const char *const kinds[] = { "pod", "pods", "po" };
	const char *namespace = a->namespace ? a->namespace : "default", *slash = strchr(text, '/'),
		   *name = slash ? slash + 1 : text;
	size_t n = slash ? (size_t)(slash - text) : 0;
	bool kind = false;

	for (size_t i = 0; slash && i < ARRAY_SIZE(kinds); i++)
		kind |= strlen(kinds[i]) == n && memcmp(kinds[i], text, n) == 0;
	if (!slash || kind)
		n = strlen(namespace);
	else
	namespace = text;
	if (!*name || strchr(name, '/') || !n || n >= sizeof(ret->namespace) || strlen(name) >= sizeof(ret->name)) {
		(void)ctl_fail(CTL_USAGE, "\"%s\" names no pod; write web, ns/web or pod/web", text);
		return -EINVAL;
	}
	ret->job = false;
	(void)snprintf(ret->namespace, sizeof(ret->namespace), "%.*s", (int)n, namespace);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

static void object_path(const char *prefix, const char *resource, const struct pod_ref *p, struct buf *out)
{
	buf_printf(out, "%s/namespaces/", prefix);
	url_escape(out, p->namespace);
	buf_printf(out, "/%s/", resource);
	url_escape(out, p->name);
}

static const char *prefix_of(const char *resource)
{
	return str_ends(resource, "jobs") ? "/apis/batch/v1" : "/api/v1";
}

void ref_path(const struct pod_ref *p, const char *resource, struct buf *out)
{
	object_path(prefix_of(resource), resource, p, out);
}

void pod_ref_path(const struct pod_ref *p, struct buf *out)
{
	ref_path(p, p->job ? "jobs" : "pods", out);
}

void pod_ref_own_path(const struct pod_ref *p, const char *verb, struct buf *out)
{
	object_path("/apis/podd.dev/v1", "pods", p, out);
	buf_printf(out, "/%s", verb);
}

void list_path(const struct args *a, const char *resource, struct buf *out)
{
	buf_printf(out, "%s/", prefix_of(resource));
	if (!a->all_namespaces) {
		buf_puts(out, "namespaces/");
		url_escape(out, a->namespace ? a->namespace : "default");
		buf_putc(out, '/');
	}
	buf_puts(out, resource);
	if (a->selector)
		url_add(out, "labelSelector", a->selector);
}

void ctl_print(const char *text)
{
	_cleanup_buf_ struct buf safe = BUF_NULL;

	if (!isatty(STDOUT_FILENO)) {
		(void)fputs(text, stdout);
		return;
	}
	for (const char *line = text; *line;) { /* newlines and tabs do no harm */
		size_t n = strcspn(line, "\n\t");
		_cleanup_free_ char *part = strndup(line, n);
		str_escape(&safe, part ? part : "");
		if (line[n])
			buf_putc(&safe, line[n]);
		line += n + (line[n] != '\0');
	}
	(void)fputs(buf_str(&safe), stdout);
}

json_t *json_at(const json_t *object, const char *path)
{
	char key[64];

	while (object && *path) {
		size_t n = strcspn(path, ".");
		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		object = json_object_get(object, key);
		path += n + (path[n] == '.');
	}
	return (json_t *)object;
}

const char *json_text(const json_t *object, const char *path)
{
	const char *s = json_string_value(json_at(object, path));

	return s ? s : "";
}

int ctl_output_json(const json_t *value)
{
	(void)json_dumpf(value, stdout, JSON_INDENT(4) | JSON_ENCODE_ANY);
	(void)putchar('\n');
	return CTL_YES;
}

int ctl_output_yaml(const json_t *value)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	yamlout(value, &out);
	(void)fwrite(out.data, 1, out.len, stdout); /* the emitter quotes control characters */
	return CTL_YES;
}
