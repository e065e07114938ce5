/* Checks of single values that fields of many regions of the API share. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include "base/str.h"
#include "manifest/check.h"

static bool out_of_range(const struct value *v, struct arena *a, struct finding *ret, const char *rule, const char *hint)
{
	return check_wrong(ret, arena_printf(a, "Invalid value: %lld: %s", (long long)v->number, rule), hint);
}

bool check_not_negative_number(const struct value *v, struct arena *a, struct finding *ret)
{
	return v->number >= 0 || out_of_range(v, a, ret, "must be greater than or equal to 0", NULL);
}

bool check_positive_number(const struct value *v, struct arena *a, struct finding *ret)
{
	return v->number > 0 || out_of_range(v, a, ret, "must be greater than 0", NULL);
}

bool check_positive_int32(const struct value *v, struct arena *a, struct finding *ret)
{
	return (v->number > 0 && v->number <= INT32_MAX) ||
	       out_of_range(v, a, ret, "must be between 1 and 2147483647, inclusive", NULL);
}

bool check_byte(const struct value *v, struct arena *a, struct finding *ret)
{
	return (v->number >= 0 && v->number <= 255) || out_of_range(v, a, ret, "must be between 0 and 255, inclusive", NULL);
}

bool check_weight(const struct value *v, struct arena *a, struct finding *ret)
{
	return (v->number >= 1 && v->number <= 100) || out_of_range(v, a, ret, "must be in the range 1-100", NULL);
}

bool check_file_mode(const struct value *v, struct arena *a, struct finding *ret)
{
	return (v->number >= 0 && v->number <= 0777) ||
	       out_of_range(v, a, ret, "must be a number between 0 and 0777 (octal), both inclusive",
	                    "in YAML write it octal, as 0644; JSON knows decimal numbers only, 420 for it");
}

bool check_directory_mode(const struct value *v, struct arena *a, struct finding *ret)
{
	return (v->number >= 0 && v->number <= 07777) ||
	       out_of_range(v, a, ret, "must be a number between 0 and 07777 (octal), both inclusive", NULL);
}

bool check_token_lifetime(const struct value *v, struct arena *a, struct finding *ret)
{
	enum { TEN_MINUTES = 600 };

	return (v->number >= TEN_MINUTES && v->number <= UINT32_MAX) ||
	       out_of_range(v, a, ret, "may not specify a duration less than 10 minutes or more than 2^32 seconds", NULL);
}

bool check_certificate_lifetime(const struct value *v, struct arena *a, struct finding *ret)
{
	enum { HOUR = 3600, DAYS_91 = 91 * 24 * HOUR };

	return (v->number >= HOUR && v->number <= DAYS_91) || out_of_range(v, a, ret, "must be between an hour and 91 days", NULL);
}

bool check_port_or_name(const struct value *v, struct arena *a, struct finding *ret)
{
	int64_t number;

	if (!v->text)
		return check_port(v, a, ret);
	if (!*v->text)
		return check_wrong(ret, "Required value", NULL);
	if (!check_port_name(v, a, ret)) {
		if (str_int(v->text, 1, 65535, &number) == 0)
			ret->hint = "remove the quotes: in quotes it is the name of a port";
		return false;
	}
	return true;
}

bool check_storage(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_memory(v, a, ret);
}

bool check_qualified_text(const struct value *v, struct arena *a, struct finding *ret)
{
	return !*v->text || check_qualified_name(v->text, a, ret);
}

bool check_label_text(const struct value *v, struct arena *a, struct finding *ret)
{
	return check_label_value(v->text, a, ret);
}

/* Keys of ConfigMaps and Secrets become names of files. */
bool check_config_key(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *s = v->text;

	if (strlen(s) > NAME_MAX_SUBDOMAIN)
		return check_too_long(ret, a, NAME_MAX_SUBDOMAIN);
	if (!*s || s[strspn(s, chars)])
		return check_invalid(ret, a, s, "a valid config key must consist of letters, digits, '-', '_' or '.'", NULL);
	if (streq(s, "."))
		return check_invalid(ret, a, s, "must not be '.'", NULL);
	if (str_after(s, ".."))
		return check_invalid(ret, a, s, streq(s, "..") ? "must not be '..'" : "must not start with '..'", NULL);
	return true;
}

bool check_env_prefix(const struct value *v, struct arena *a, struct finding *ret)
{
	return !*v->text || check_env_name(v, a, ret);
}

bool check_header_name(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	return !v->text[strspn(v->text, chars)] ||
	       check_invalid(ret, a, v->text, "a valid HTTP header must consist of letters, digits and '-'", NULL);
}

/* What would end the line would begin another header. */
bool check_header_value(const struct value *v, struct arena *a, struct finding *ret)
{
	for (const char *s = v->text; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return check_invalid(ret, a, v->text, "a header's value must not have control characters", NULL);
	return true;
}

/* podd asks no name server: an answer could take longer than the probe. */
/* An address or a name: it stands in a header. */
bool check_probe_host(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	enum { NAME_MAX_LENGTH = 253 };
	struct in6_addr address;
	size_t n = strlen(v->text);

	if (inet_pton(AF_INET6, v->text, &address) == 1 || (n <= NAME_MAX_LENGTH && strspn(v->text, legal) == n))
		return true;
	(void)check_invalid(ret, a, v->text, "must be an address or a host name of at most 253 characters", NULL);
	ret->severity = SEVERITY_REFUSED;
	return false;
}

/* Words of [a-z0-9]([-_a-z0-9]*[a-z0-9])?, joined by '.' or '/'. */
bool check_sysctl_name(const struct value *v, struct arena *a, struct finding *ret)
{
	static const char edge[] = "abcdefghijklmnopqrstuvwxyz0123456789", inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *s = v->text;

	if (strlen(s) > NAME_MAX_SUBDOMAIN)
		return check_too_long(ret, a, NAME_MAX_SUBDOMAIN);
	for (;; s++) {
		size_t n = strspn(s, inner);
		if (!n || !strchr(edge, s[0]) || !strchr(edge, s[n - 1]) || (s[n] && s[n] != '.' && s[n] != '/'))
			return check_invalid(ret, a, v->text,
			                     "must be words of lower case letters, digits, '-' and '_', joined by '.'",
			                     "as net.core.somaxconn");
		s += n;
		if (!*s)
			return true;
	}
}

/* It becomes part of a line of a file. */
bool check_word(const struct value *v, struct arena *a, struct finding *ret)
{
	for (const char *s = v->text; *s; s++)
		if (!isgraph((unsigned char)*s))
			return check_invalid(ret, a, v->text, "must have no spaces or invisible characters", NULL);
	return true;
}

bool check_search_domain(const struct value *v, struct arena *a, struct finding *ret)
{
	const char *s = v->text;
	size_t n = strlen(s);

	if (streq(s, "."))
		return true;
	if (n && s[n - 1] == '.') /* rooted */
		s = arena_strndup(a, s, n - 1);
	if (n > NAME_MAX_SUBDOMAIN)
		return check_too_long(ret, a, NAME_MAX_SUBDOMAIN);
	char *plain = arena_strdup(a, s);
	for (char *p = plain; *p; p++)
		*p = *p == '_' ? '-' : *p;
	if (*s == '_' && plain[1]) /* as in _sip._tcp */
		plain[0] = 'a';
	for (char *p = plain; (p = strstr(p, ".-")); p++)
		p[1] = s[p + 1 - plain] == '_' ? 'a' : '-';
	return is_dns_subdomain(plain) ||
	       check_invalid(ret, a, v->text, "must be a domain name of lower case letters, digits, '-' and '.'", NULL);
}

bool check_host_label(const struct value *v, struct arena *a, struct finding *ret)
{
	return !*v->text || check_label_name(v, a, ret);
}

bool check_hostname_override(const struct value *v, struct arena *a, struct finding *ret)
{
	enum { HOSTNAME_MAX = 64 }; /* the kernel's */

	if (strlen(v->text) > HOSTNAME_MAX)
		return check_too_long(ret, a, HOSTNAME_MAX);
	return check_subdomain_name(v, a, ret);
}

bool check_csi_driver(const struct value *v, struct arena *a, struct finding *ret)
{
	if (strlen(v->text) > NAME_MAX_LABEL)
		return check_too_long(ret, a, NAME_MAX_LABEL);
	char *lower = arena_strdup(a, v->text);
	for (char *p = lower; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return check_subdomain_name(&(struct value){ .text = lower }, a, ret);
}

bool check_iqn(const struct value *v, struct arena *a, struct finding *ret)
{
	if (!*v->text || str_after(v->text, "iqn.") || str_after(v->text, "eui.") || str_after(v->text, "naa."))
		return true;
	return check_invalid(ret, a, v->text, "must begin with iqn., eui. or naa.", NULL);
}

bool check_ip(const struct value *v, struct arena *a, struct finding *ret)
{
	unsigned char ip[16];

	return inet_pton(AF_INET, v->text, ip) == 1 || inet_pton(AF_INET6, v->text, ip) == 1 ||
	       check_invalid(ret, a, v->text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", NULL);
}

bool check_no_slash(const struct value *v, struct arena *a, struct finding *ret)
{
	return !strchr(v->text, '/') || check_invalid(ret, a, v->text, "must not contain '/'", NULL);
}

static bool has_dot_dot(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");
		if (n == 2 && memcmp(s, "..", 2) == 0)
			return true;
		if (!s[n])
			return false;
		s += n + 1;
	}
}

bool check_relative_path(const struct value *v, struct arena *a, struct finding *ret)
{
	if (*v->text == '/')
		return check_invalid(ret, a, v->text, "must be a relative path", "remove the leading '/'");
	if (has_dot_dot(v->text))
		return check_invalid(ret, a, v->text, "must not contain '..'", NULL);
	return strlen(v->text) <= PATH_TEXT_MAX || check_too_long(ret, a, PATH_TEXT_MAX);
}

/* Names that begin with ".." are kept for the directories that swap the files. */
bool check_file_path(const struct value *v, struct arena *a, struct finding *ret)
{
	if (!*v->text)
		return check_wrong(ret, "Required value", NULL);
	if (!check_relative_path(v, a, ret))
		return false;
	return !str_after(v->text, "..") || check_invalid(ret, a, v->text, "must not start with '..'", NULL);
}

bool check_absolute_path(const struct value *v, struct arena *a, struct finding *ret)
{
	return *v->text == '/' || check_invalid(ret, a, v->text, "must be an absolute path", "write it from the root: /...");
}

bool check_device_path(const struct value *v, struct arena *a, struct finding *ret)
{
	return !has_dot_dot(v->text) || check_invalid(ret, a, v->text, "must not contain '..'", NULL);
}
