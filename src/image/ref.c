#include "image/ref.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"

static const char *const transports[] = {
	[IMAGE_REGISTRY] = NULL,
	[IMAGE_OCI] = "oci",
	[IMAGE_OCI_ARCHIVE] = "oci-archive",
	[IMAGE_DOCKER_ARCHIVE] = "docker-archive",
	[IMAGE_ROOTFS] = "rootfs",
};
_Static_assert(sizeof(transports) / sizeof(*transports) == IMAGE_TRANSPORT_MAX, "a name for each transport");

static const char LOWER[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char WORD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
static const char HOST[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
static const char HEX[] = "0123456789abcdef";

const char *image_transport_name(enum image_transport t)
{
	return transports[t];
}

bool image_digest_valid(const char *s)
{
	const char *hex = str_after(s, "sha256:");

	return hex && strlen(hex) == 64 && strspn(hex, HEX) == 64;
}

/* Letters and digits, separated by '.', '_', '__' or any number of '-'. */
static bool component_valid(const char *s)
{
	for (;;) {
		size_t word = strspn(s, LOWER);
		if (!word)
			return false;
		s += word;
		if (!*s)
			return true;
		size_t dashes = strspn(s, "-"), lines = strspn(s, "_");
		if (lines > 2)
			return false;
		s += dashes ? dashes : lines ? lines : *s == '.';
	}
}

static bool host_valid(const char *s)
{
	const char *end = s + strspn(s, HOST);

	if (*s == '[') { /* an IPv6 address */
		end = s + 1 + strspn(s + 1, "0123456789abcdefABCDEF:");
		if (end == s + 1 || *end++ != ']')
			return false;
	} else if (end == s || strchr(".-", s[0]) || strchr(".-", end[-1])) {
		return false;
	}
	if (*end == ':')
		return end[1] && strlen(end + 1) <= 5 && strspn(end + 1, "0123456789") == strlen(end + 1);
	return !*end;
}

/* name: cut in pieces here. */
static const char *parse_name(char *name, struct image_ref *ret)
{
	const char *host = "docker.io";
	char *path = name, *slash = strchr(name, '/');

	/* The first component is a registry if it can't be a repository of Docker Hub. */
	if (slash)
		*slash = '\0';
	if (slash && (strpbrk(name, ".:") || streq(name, "localhost"))) {
		if (!host_valid(name))
			return "the registry is no host name or address with a port";
		if (!streq(name, "index.docker.io"))
			host = name;
		path = slash + 1;
	} else if (slash) {
		*slash = '/';
	}
	bool library = streq(host, "docker.io") && !strchr(path, '/');
	int n = snprintf(ret->name, sizeof(ret->name), "%s/%s%s", host, library ? "library/" : "", path);
	for (char *next; path; path = next) {
		next = strchr(path, '/');
		if (next)
			*next++ = '\0';
		if (!component_valid(path))
			return "a repository has lower-case letters and digits, separated by '.', '_', '__' or '-', between its "
			       "slashes";
	}
	return n > IMAGE_NAME_MAX ? "registry and repository have more than 255 characters" : NULL;
}

static bool tag_valid(const char *s)
{
	size_t n = strlen(s);

	return n && n <= IMAGE_TAG_MAX && !strchr(".-", *s) && strspn(s, WORD) == n;
}

static const char *parse_registry(const char *text, struct image_ref *ret)
{
	char name[IMAGE_REFERENCE_SIZE];

	if (strlen(text) >= sizeof(name))
		return "it has more than 1000 characters";
	(void)strcpy(name, text);
	char *digest = strchr(name, '@');
	if (digest)
		*digest++ = '\0';
	char *tag = strrchr(name, ':');
	if (tag && strchr(tag, '/'))
		tag = NULL; /* a port */
	if (tag)
		*tag++ = '\0';
	if (tag && !tag_valid(tag))
		return "a tag has 1 to 128 letters, digits, '_', '.' or '-', and begins with none of the last two";
	if (digest && !image_digest_valid(digest))
		return "a digest is sha256: and 64 digits of 0-9a-f";
	if (digest)
		(void)strcpy(ret->digest, digest);
	else
		(void)strcpy(ret->tag, tag ? tag : "latest");
	return parse_name(name, ret);
}

static const char *parse_path(const char *s, struct image_ref *ret)
{
	const char *colon = ret->transport == IMAGE_ROOTFS ? NULL : strchr(s, ':');
	size_t length = colon ? (size_t)(colon - s) : strlen(s);

	if (*s != '/')
		return "the path after the transport is not absolute";
	if (length + (colon ? strlen(colon) : 0) + strlen("docker-archive:") >= sizeof(ret->name))
		return "it has more than 1000 characters";
	if (colon && (!colon[1] || strlen(colon + 1) >= sizeof(ret->tag)))
		return "what names an image in an archive has 1 to 255 characters";
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", (int)length, s);
	(void)snprintf(ret->tag, sizeof(ret->tag), "%s", colon ? colon + 1 : "");
	return NULL;
}

static const char *parse(const char *text, struct image_ref *ret)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "it has blanks or control characters";
	if (!*text)
		return "it is empty";
	for (enum image_transport t = IMAGE_REGISTRY + 1; t < IMAGE_TRANSPORT_MAX; t++) {
		const char *rest = str_after(text, transports[t]);
		if (!rest || rest[0] != ':' || (t != IMAGE_ROOTFS && rest[1] != '/'))
			continue; /* oci:latest is an image of Docker Hub */
		ret->transport = t;
		return parse_path(rest + 1, ret);
	}
	return parse_registry(text, ret);
}

int image_ref_parse(const char *text, struct image_ref *ret, const char **ret_why)
{
	struct image_ref ref = { .transport = IMAGE_REGISTRY };
	const char *why = parse(text, &ref);

	if (why) {
		*ret_why = why;
		return -EINVAL;
	}
	*ret = ref;
	return 0;
}

void image_ref_text(const struct image_ref *ref, char ret[static IMAGE_REFERENCE_SIZE])
{
	const char *transport = transports[ref->transport];
	char *end = ret;

	if (transport)
		end = stpcpy(stpcpy(end, transport), ":");
	end = stpcpy(end, ref->name);
	if (*ref->tag)
		end = stpcpy(stpcpy(end, ":"), ref->tag);
	if (*ref->digest)
		(void)stpcpy(stpcpy(end, "@"), ref->digest);
}
