#include "plan/words.h"
#include <ctype.h>
#include "base/alloc.h"
#include "base/str.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static const char *lookup(const struct label_list *env, const char *name, size_t n)
{
	for (size_t i = env->count; i-- > 0;)
		if (strlen(env->items[i].name) == n && memcmp(env->items[i].name, name, n) == 0)
			return env->items[i].value;
	return NULL;
}

char *plan_expand(struct arena *a, const char *text, const struct label_list *env)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	for (const char *p = text; *p;) {
		const char *end = p[0] == '$' && p[1] == '(' ? strchr(p + 2, ')') : NULL;
		if (p[0] == '$' && p[1] == '$') {
			buf_putc(&out, '$');
			p += 2;
		} else if (end) {
			const char *value = lookup(env, p + 2, (size_t)(end - p - 2));
			if (value)
				buf_puts(&out, value);
			else
				buf_append(&out, p, (size_t)(end - p) + 1);
			p = end + 1;
		} else {
			buf_putc(&out, *p++);
		}
	}
	return arena_strdup(a, buf_str(&out));
}

static void append(struct string_list *out, struct arena *a, const struct string_list *words, const struct label_list *env)
{
	for (size_t i = 0; i < words->count; i++)
		out->items[out->count++] = env ? plan_expand(a, words->items[i], env) : words->items[i];
}

int words_argv(struct arena *a, const struct container *c, const struct image_config *image, const struct label_list *env,
               struct string_list *ret)
{
	size_t max = c->command.count + c->args.count + image->entrypoint.count + image->cmd.count;
	struct string_list argv = { .items = arena_new_array(a, const char *, max + 1) };

	if (c->command.count > 0) {
		append(&argv, a, &c->command, env);
		append(&argv, a, &c->args, env);
	} else {
		append(&argv, a, &image->entrypoint, NULL);
		if (c->args.count > 0)
			append(&argv, a, &c->args, env);
		else
			append(&argv, a, &image->cmd, NULL);
	}
	if (argv.count == 0)
		return -EINVAL;
	*ret = argv;
	return 0;
}

static void set(struct arena *a, struct string_list *env, const char *name, size_t n, const char *value)
{
	const char *entry = arena_printf(a, "%.*s=%s", (int)n, name, value);

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, n) == 0 && env->items[i][n] == '=') {
			env->items[i] = entry;
			return;
		}
	env->items[env->count++] = entry;
}

void words_environment(struct arena *a, const struct pod *pod, const struct image_config *image, const struct label_list *own,
                       const char *home, bool tty, struct string_list *ret)
{
	enum { DEFAULTS = 4 };
	char hostname[POD_HOSTNAME_SIZE];
	struct string_list env = { .items = arena_new_array(a, const char *, DEFAULTS + image->env.count + own->count) };

	pod_hostname(pod, hostname);
	set(a, &env, "PATH", 4, default_path);
	if (!pod->spec.host_network) /* else the host's name, which a plan does not know */
		set(a, &env, "HOSTNAME", 8, hostname);
	set(a, &env, "HOME", 4, home);
	if (tty)
		set(a, &env, "TERM", 4, "xterm");
	for (size_t i = 0; i < image->env.count; i++) {
		const char *equals = strchr(image->env.items[i], '=');
		if (equals && equals > image->env.items[i])
			set(a, &env, image->env.items[i], (size_t)(equals - image->env.items[i]), equals + 1);
	}
	for (size_t i = 0; i < own->count; i++)
		set(a, &env, own->items[i].name, strlen(own->items[i].name), own->items[i].value);
	*ret = env;
}
