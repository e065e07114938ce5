#include "manifest/check.h"
#include "manifest/huge.h"
#include <arpa/inet.h>
#include "base/str.h"

enum { SHOWN_MAX = 80 }; /* of a value that is quoted in a message */

bool check_wrong(struct finding *ret, const char *text, const char *hint)
{
	*ret = (struct finding){ SEVERITY_ERROR, text, hint };
	return false;
}

static bool refused(struct finding *ret, const char *text, const char *hint)
{
	*ret = (struct finding){ SEVERITY_REFUSED, text, hint };
	return false;
}

bool check_invalid(struct finding *ret, struct arena *a, const char *value, const char *rule, const char *hint)
{
	return check_wrong(ret, arena_printf(a, "Invalid value: \"%.*s\": %s", SHOWN_MAX, value, rule), hint);
}

bool check_too_long(struct finding *ret, struct arena *a, size_t max)
{
	return check_wrong(ret, arena_printf(a, "Too long: may not be more than %zu bytes", max), NULL);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])?, n bytes of s */
bool is_dns_label(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_lower(s[i]) && !is_digit(s[i]) && (s[i] != '-' || i == 0 || i == n - 1))
			return false;
	return n > 0;
}

bool is_dns_subdomain(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ".");
		if (!is_dns_label(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

bool check_label_name(const struct value *v, struct arena *a, struct finding *ret)
{
	size_t n = strlen(v->text);

	if (n > NAME_MAX_LABEL)
		return check_too_long(ret, a, NAME_MAX_LABEL);
	if (!is_dns_label(v->text, n))
		return check_invalid(
			ret, a, v->text,
			"a lowercase RFC 1123 label must consist of lower case letters, digits and '-', and must start and "
			"end with a letter or digit",
			NULL);
	return true;
}

bool check_subdomain_name(const struct value *v, struct arena *a, struct finding *ret)
{
	if (strlen(v->text) > NAME_MAX_SUBDOMAIN)
		return check_too_long(ret, a, NAME_MAX_SUBDOMAIN);
	if (!is_dns_subdomain(v->text))
		return check_invalid(
			ret, a, v->text,
			"a lowercase RFC 1123 subdomain must consist of lower case letters, digits, '-' and '.', and must "
			"start and end with a letter or digit",
			NULL);
	return true;
}

/* The uid names directories and cgroups. */
bool check_pod_uid(const struct value *v, struct arena *a, struct finding *ret)
{
	size_t n = strlen(v->text);

	if (n > NAME_MAX_LABEL || !is_dns_label(v->text, n))
		return refused(ret,
		               arena_printf(a,
		                            "a uid must consist of at most %d lower case letters, digits and '-', as a UUID does",
		                            NAME_MAX_LABEL),
		               "leave it out: podd chooses one");
	return true;
}

char *path_clean(struct arena *a, const char *path)
{
	char *clean = arena_alloc(a, strlen(path) + 2), *end = clean;

	if (*path != '/')
		return NULL;
	while (*path) {
		size_t n;
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && memcmp(path, "..", 2) == 0)
			return NULL;
		if (n && !(n == 1 && *path == '.')) {
			*end++ = '/';
			memcpy(end, path, n);
			end += n;
		}
		path += n;
	}
	if (end == clean)
		*end++ = '/';
	*end = '\0';
	return clean;
}

static bool check_path_length(const char *path, struct arena *a, struct finding *ret)
{
	return strlen(path) <= PATH_TEXT_MAX || check_too_long(ret, a, PATH_TEXT_MAX);
}

/* [registry/]name[:tag][@digest], loosely: enough to tell a slip of the hand from a reference. */
static bool is_reference(const char *s)
{
	bool any = false;

	for (; *s; s++) {
		if (is_alnum(*s))
			any = true;
		else if (!strchr("._-/:@+", *s) || (!any && *s != '_'))
			return false;
	}
	return any && is_alnum(s[-1]);
}

bool check_image(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char hint[] =
		"write a name, as nginx:1.27; oci:, oci-archive: or docker-archive: and a path; or rootfs:/path, a "
		"directory (rootfs:/ is the host's own root)";
	static const char *const transports[] = { "rootfs:", "oci:", "oci-archive:", "docker-archive:" };
	const char *path = NULL;

	if (!*v->text)
		return check_wrong(ret, "Required value", hint);
	if (!check_path_length(v->text, a, ret))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(transports) && !path; i++)
		path = str_after(v->text, transports[i]);
	if (path && !path_clean(a, path))
		return check_invalid(ret, a, v->text, "the path after the first colon must be absolute and must not contain '..'",
		                     NULL);
	/* Whether a name is well-formed is found out at the start of the container, as Kubernetes has it (InvalidImageName). */
	if (!path && !is_reference(v->text))
		return check_invalid(ret, a, v->text,
		                     strspn(v->text, " \t\n") || str_ends(v->text, " ")
		                             ? "must not have leading or trailing whitespace"
		                             : "not an image reference",
		                     hint);
	return true;
}

bool check_working_dir(const struct value *v, struct arena *a, struct finding *ret)
{
	if (*v->text && *v->text != '/')
		return refused(ret, "a relative working directory is not supported by podd", "write it from the root: /...");
	return check_path_length(v->text, a, ret);
}

bool check_env_name(const struct value *v, struct arena *a, struct finding *ret)
{
	const char *s = v->text;

	if (!*s)
		return check_wrong(ret, "Required value", NULL);
	if (strlen(s) > ENV_NAME_MAX)
		return check_too_long(ret, a, ENV_NAME_MAX);
	/* Since Kubernetes 1.34 any printable ASCII but '='. */
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e || *s == '=')
			return check_invalid(
				ret, a, v->text,
				"a valid environment variable name must consist only of printable ASCII characters other than '='",
				NULL);
	return true;
}

bool check_port(const struct value *v, struct arena *a, struct finding *ret)
{
	if (v->number < 1 || v->number > 65535)
		return check_wrong(ret,
		                   arena_printf(a, "Invalid value: %lld: must be between 1 and 65535, inclusive",
		                                (long long)v->number),
		                   NULL);
	return true;
}

bool check_host_port(const struct value *v, struct arena *a, struct finding *ret)
{
	return v->number == 0 || check_port(v, a, ret);
}

bool check_port_name(const struct value *v, struct arena *a, struct finding *ret)
{
	size_t n = strlen(v->text);
	bool letter = false;

	if (n > PORT_NAME_MAX)
		return check_too_long(ret, a, PORT_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		letter |= is_lower(v->text[i]);
	if (!is_dns_label(v->text, n) || !letter || strstr(v->text, "--"))
		return check_invalid(
			ret, a, v->text,
			"a port name must consist of lower case letters, digits and single '-' between them, with at least "
			"one letter",
			NULL);
	return true;
}

bool check_host_ip(const struct value *v, struct arena *a, struct finding *ret)
{
	unsigned char ip[16];

	if (!*v->text || inet_pton(AF_INET, v->text, ip) == 1)
		return true;
	if (inet_pton(AF_INET6, v->text, ip) == 1)
		return refused(ret, "IPv6 addresses are not yet supported by this podd", "use an IPv4 address");
	return check_invalid(ret, a, v->text, "must be a valid IP address, (e.g. 10.9.8.7)", NULL);
}

/* On or below: the kernel's file systems, where a mount would hide what podd protects, and the devices podd makes. */
static bool is_protected(const char *path)
{
	static const char *const trees[] = { "/proc", "/sys", "/dev/pts", "/dev/mqueue", "/dev/fd" };
	static const char *const files[] = { "/",           "/dev",         "/dev/null",  "/dev/zero",    "/dev/full",
		                             "/dev/random", "/dev/urandom", "/dev/tty",   "/dev/console", "/dev/ptmx",
		                             "/dev/stdin",  "/dev/stdout",  "/dev/stderr" };

	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		const char *rest = str_after(path, trees[i]);
		if (rest && (!*rest || *rest == '/'))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (streq(path, files[i]))
			return true;
	return false;
}

/* Where something can be mounted in a container; `what` names the field. */
static bool check_target(const char *path, const char *what, struct arena *a, struct finding *ret)
{
	if (!check_path_length(path, a, ret))
		return false;
	if (*path != '/')
		return refused(ret, arena_printf(a, "a relative %s is not supported by podd", what),
		               "write it from the root: /...");
	const char *clean = path_clean(a, path);
	if (!clean)
		return refused(ret, arena_printf(a, "a %s with '..' is not supported by podd", what), "write the path it leads to");
	if (is_protected(clean))
		return refused(ret,
		               arena_printf(a, "a mount on %s is not supported by podd: it belongs to the kernel or to podd",
		                            clean),
		               "mount it elsewhere, as /host/...");
	return true;
}

bool check_mount_path(const struct value *v, struct arena *a, struct finding *ret)
{
	if (!*v->text)
		return check_wrong(ret, "Required value", NULL);
	if (strchr(v->text, ':'))
		return check_invalid(ret, a, v->text, "must not contain ':'", NULL);
	return check_target(v->text, "mountPath", a, ret);
}

bool check_message_path(const struct value *v, struct arena *a, struct finding *ret)
{
	return !*v->text || check_target(v->text, "terminationMessagePath", a, ret);
}

bool check_host_path(const struct value *v, struct arena *a, struct finding *ret)
{
	if (!*v->text)
		return check_wrong(ret, "Required value", NULL);
	if (!check_path_length(v->text, a, ret))
		return false;
	if (*v->text != '/')
		return refused(ret, "a relative hostPath is not supported by podd", "write it from the root: /...");
	if (!path_clean(a, v->text))
		return check_invalid(ret, a, v->text, "must not contain '..'", NULL);
	return true;
}

bool check_capability(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char *const known[] = {
		"ALL",
		"AUDIT_CONTROL",
		"AUDIT_READ",
		"AUDIT_WRITE",
		"BLOCK_SUSPEND",
		"BPF",
		"CHECKPOINT_RESTORE",
		"CHOWN",
		"DAC_OVERRIDE",
		"DAC_READ_SEARCH",
		"FOWNER",
		"FSETID",
		"IPC_LOCK",
		"IPC_OWNER",
		"KILL",
		"LEASE",
		"LINUX_IMMUTABLE",
		"MAC_ADMIN",
		"MAC_OVERRIDE",
		"MKNOD",
		"NET_ADMIN",
		"NET_BIND_SERVICE",
		"NET_BROADCAST",
		"NET_RAW",
		"PERFMON",
		"SETFCAP",
		"SETGID",
		"SETPCAP",
		"SETUID",
		"SYSLOG",
		"SYS_ADMIN",
		"SYS_BOOT",
		"SYS_CHROOT",
		"SYS_MODULE",
		"SYS_NICE",
		"SYS_PACCT",
		"SYS_PTRACE",
		"SYS_RAWIO",
		"SYS_RESOURCE",
		"SYS_TIME",
		"SYS_TTY_CONFIG",
		"WAKE_ALARM",
	};
	const char *bare = str_after(v->text, "CAP_");

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (streq(v->text, known[i]))
			return true;
		if (bare && streq(bare, known[i]))
			return check_invalid(ret, a, v->text, "capabilities are named without CAP_",
			                     arena_printf(a, "write %s", bare));
		if (strcasecmp(v->text, known[i]) == 0)
			return refused(ret, "capabilities are named in upper case", arena_printf(a, "write %s", known[i]));
	}
	return check_invalid(ret, a, v->text, "no capability of Linux has this name", "capabilities(7) lists them; leave out CAP_");
}

bool check_id(const struct value *v, struct arena *a, struct finding *ret)
{
	if (v->number < 0 || v->number > INT32_MAX)
		return check_wrong(ret,
		                   arena_printf(a, "Invalid value: %lld: must be between 0 and 2147483647, inclusive",
		                                (long long)v->number),
		                   NULL);
	return true;
}

bool check_grace(const struct value *v, struct arena *a, struct finding *ret)
{
	enum { YEAR = 366 * 24 * 3600 }; /* in nanoseconds it must stay far from overflow */

	if (v->number < 0)
		return check_wrong(ret,
		                   arena_printf(a, "Invalid value: %lld: must be greater than or equal to 0", (long long)v->number),
		                   NULL);
	if (v->number > YEAR)
		return refused(ret, arena_printf(a, "a grace period of more than %d s (a year) is not supported by podd", YEAR),
		               NULL);
	return true;
}

static bool check_not_negative(const struct value *v, struct arena *a, struct finding *ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	if (v->quantity->nano >= 0)
		return true;
	quantity_print(v->quantity, &text);
	return check_invalid(ret, a, buf_str(&text), "must be greater than or equal to 0", NULL);
}

bool check_cpu(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_not_negative(v, a, ret);
}

bool check_memory(const struct value *v, struct arena *a, struct finding *ret)
{
	const int64_t byte = 1000000000;

	if (!check_not_negative(v, a, ret))
		return false;
	if (v->quantity->nano % byte) {
		*ret = (struct finding){ SEVERITY_NOTICE, "a fraction of a byte, rounded up: the suffix m means a thousandth",
			                 "for mebibytes write Mi" };
		return false;
	}
	return true;
}

bool check_size_limit(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_memory(v, a, ret);
}

static bool check_huge(const struct value *v, enum huge_size s, struct arena *a, struct finding *ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	if (!check_not_negative(v, a, ret))
		return false;
	if (v->quantity->nano % ((__int128)huge_size_bytes(s) * 1000000000) == 0)
		return true;
	quantity_print(v->quantity, &text);
	return check_invalid(ret, a, buf_str(&text),
	                     arena_printf(a, "is not positive integer multiple of hugepages-%s", huge_size_name(s)), NULL);
}

bool check_huge_2mi(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_huge(v, HUGE_SIZE_2MI, a, ret);
}

bool check_huge_1gi(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_huge(v, HUGE_SIZE_1GI, a, ret);
}

/* [A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])? */
static bool is_label_word(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && (!strchr("-_.", s[i]) || i == 0 || i == n - 1))
			return false;
	return n > 0;
}

bool check_qualified_name(const char *key, struct arena *a, struct finding *ret)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

	if (slash) {
		const char *prefix = arena_strndup(a, key, (size_t)(slash - key));
		if (!is_dns_subdomain(prefix) || strlen(prefix) > NAME_MAX_SUBDOMAIN)
			return check_invalid(ret, a, key,
			                     "the part before '/' must be a lowercase RFC 1123 subdomain of at most 253 bytes",
			                     NULL);
	}
	if (strlen(name) > NAME_MAX_LABEL)
		return check_invalid(ret, a, key, "the name part must be no more than 63 bytes", NULL);
	if (!is_label_word(name))
		return check_invalid(
			ret, a, key,
			"the name part must consist of letters, digits, '-', '_' or '.', and must start and end with a "
			"letter or digit",
			NULL);
	return true;
}

bool check_label_value(const char *value, struct arena *a, struct finding *ret)
{
	if (strlen(value) > NAME_MAX_LABEL)
		return check_wrong(ret, "Invalid value: a label's value must be no more than 63 bytes",
		                   "put longer text into an annotation");
	if (*value && !is_label_word(value))
		return check_invalid(
			ret, a, value,
			"a label's value must be empty or consist of letters, digits, '-', '_' or '.', and must start and "
			"end with a letter or digit",
			"put free text into an annotation");
	return true;
}
