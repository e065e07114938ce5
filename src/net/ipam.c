#include "net/ipam.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"

#define IPAM_HEADER "podd-leases 1"
#define IPAM_HASH "sha256 "

enum { IPAM_FILE_MAX = 64 << 20 };

struct lease {
	char *uid;
	uint32_t offset; /* from the network's address */
};

struct ipam {
	int dir;
	char *name;
	uint32_t network, size; /* host byte order; addresses of the range, the unusable ones included */
	struct lease *leases;
	size_t count;
	unsigned char *taken; /* a bit an address */
	uint32_t next;        /* where the search for a free one starts */
	bool dirty, damaged;
};

static bool taken(const struct ipam *i, uint32_t offset)
{
	return i->taken[offset / CHAR_BIT] >> (offset % CHAR_BIT) & 1;
}

static void mark(struct ipam *i, uint32_t offset, bool on)
{
	unsigned char bit = (unsigned char)(1U << (offset % CHAR_BIT));

	if (on)
		i->taken[offset / CHAR_BIT] |= bit;
	else
		i->taken[offset / CHAR_BIT] &= (unsigned char)~bit;
	i->dirty = true;
}

/* Network, gateway and broadcast are nobody's. */
static bool usable(const struct ipam *i, uint32_t offset)
{
	return offset >= 2 && offset < i->size - 1;
}

/* One word of the file. */
static bool uid_legal(const char *uid)
{
	size_t n = strlen(uid);

	for (const char *s = uid; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return n > 0 && n <= IPAM_UID_MAX;
}

static struct lease *lease_find(const struct ipam *i, const char *uid)
{
	for (size_t k = 0; k < i->count; k++)
		if (streq(i->leases[k].uid, uid))
			return &i->leases[k];
	return NULL;
}

static void lease_add(struct ipam *i, const char *uid, uint32_t offset)
{
	*xgrow(i->leases, i->count) = (struct lease){ .uid = xstrdup(uid), .offset = offset };
	mark(i, offset, true);
}

static void lease_drop(struct ipam *i, struct lease *l)
{
	mark(i, l->offset, false);
	free(l->uid);
	*l = i->leases[--i->count];
}

static struct in_addr address_of(const struct ipam *i, uint32_t offset)
{
	return (struct in_addr){ .s_addr = htonl(i->network + offset) };
}

/* --- file -------------------------------------------------------------------------------------------------------------------- */

/* Cuts the hash off the end, if it is right. */
static bool hash_strip(struct buf *text)
{
	char hex[SHA256_HEX_SIZE];
	size_t tail = strlen(IPAM_HASH) + SHA256_HEX_SIZE - 1 + 1;

	if (text->len < tail || text->data[text->len - 1] != '\n')
		return false;
	char *line = text->data + text->len - tail;
	sha256_hex(text->data, text->len - tail, hex);
	if (!str_after(line, IPAM_HASH) || strncmp(line + strlen(IPAM_HASH), hex, SHA256_HEX_SIZE - 1) != 0)
		return false;
	*line = '\0';
	return true;
}

/* "10.88.0.2 uid", or "next 10.88.0.7". What is not of the range (any more) is left out. */
static bool line_load(struct ipam *i, char *line)
{
	struct in_addr a;
	char *blank = strchr(line, ' ');

	if (!blank)
		return false;
	*blank = '\0';
	bool is_next = streq(line, "next");
	if (inet_pton(AF_INET, is_next ? blank + 1 : line, &a) != 1)
		return false;
	uint32_t offset = ntohl(a.s_addr) - i->network;
	if (!usable(i, offset))
		return true;
	if (is_next) {
		i->next = offset;
		return true;
	}
	if (!uid_legal(blank + 1) || taken(i, offset) || lease_find(i, blank + 1))
		return false;
	lease_add(i, blank + 1, offset);
	return true;
}

static bool text_load(struct ipam *i, struct buf *text)
{
	char *save = NULL;

	if (!hash_strip(text))
		return false;
	char *line = strtok_r(text->data, "\n", &save);
	if (!line || !streq(line, IPAM_HEADER))
		return false;
	while ((line = strtok_r(NULL, "\n", &save)))
		if (!line_load(i, line))
			return false;
	return true;
}

static int load(struct ipam *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char bad[NAME_MAX + 1];
	int r = file_read(i->dir, i->name, IPAM_FILE_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -EFBIG)
		return r;
	if (r == 0 && text_load(i, &text)) {
		i->dirty = false;
		return 0;
	}
	while (i->count)
		lease_drop(i, &i->leases[i->count - 1]);
	i->damaged = i->dirty = true;
	if (snprintf(bad, sizeof(bad), "%s.bad", i->name) >= (int)sizeof(bad))
		return -ENAMETOOLONG;
	(void)renameat(i->dir, i->name, i->dir, bad); /* for people to look at; the disk may be read-only */
	return 0;
}

int ipam_save(struct ipam *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char name[INET_ADDRSTRLEN], hex[SHA256_HEX_SIZE];

	if (!i->dirty)
		return 0;
	struct in_addr a = address_of(i, i->next);
	buf_printf(&text, "%s\nnext %s\n", IPAM_HEADER, inet_ntop(AF_INET, &a, name, sizeof(name)));
	for (size_t k = 0; k < i->count; k++) {
		a = address_of(i, i->leases[k].offset);
		buf_printf(&text, "%s %s\n", inet_ntop(AF_INET, &a, name, sizeof(name)), i->leases[k].uid);
	}
	sha256_hex(text.data, text.len, hex);
	buf_printf(&text, "%s%s\n", IPAM_HASH, hex);
	int r = file_replace_unsynced(i->dir, i->name, text.data, text.len, 0600);
	if (r == 0)
		i->dirty = false;
	return r;
}

/* --- leases ------------------------------------------------------------------------------------------------------------------ */

int ipam_open(int dirfd, const char *name, struct in_addr network, unsigned prefix, struct ipam **ret)
{
	if (prefix < 8 || prefix > 30)
		return -EINVAL;
	/* A descriptor of one's own: AT_FDCWD is fine too. */
	int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	struct ipam *i = xnew(struct ipam);
	i->dir = dir;
	i->name = xstrdup(name);
	i->size = UINT32_C(1) << (32 - prefix);
	i->network = ntohl(network.s_addr) & ~(i->size - 1);
	i->taken = xnew_array(unsigned char, i->size / CHAR_BIT + 1);
	i->next = 2;
	int r = load(i);
	if (r < 0) {
		i->dirty = false;
		ipam_close(i);
		return r;
	}
	*ret = i;
	return 0;
}

struct ipam *ipam_close(struct ipam *i)
{
	if (!i)
		return NULL;
	(void)ipam_save(i);
	for (size_t k = 0; k < i->count; k++)
		free(i->leases[k].uid);
	free(i->leases);
	free(i->taken);
	free(i->name);
	fd_close(i->dir);
	free(i);
	return NULL;
}

bool ipam_damaged(const struct ipam *i)
{
	return i->damaged;
}

bool ipam_dirty(const struct ipam *i)
{
	return i->dirty;
}

int ipam_find(const struct ipam *i, const char *uid, struct in_addr *ret)
{
	const struct lease *l = lease_find(i, uid);

	if (!l)
		return -ENOENT;
	*ret = address_of(i, l->offset);
	return 0;
}

int ipam_lease(struct ipam *i, const char *uid, struct in_addr *ret)
{
	if (ipam_find(i, uid, ret) == 0)
		return 0;
	if (!uid_legal(uid))
		return -EINVAL;
	for (uint32_t n = 0, at = i->next; n < i->size; n++, at = (at + 1) % i->size) {
		if (!usable(i, at) || taken(i, at))
			continue;
		lease_add(i, uid, at);
		i->next = usable(i, at + 1) ? at + 1 : 2;
		*ret = address_of(i, at);
		return 0;
	}
	return -ENOSPC;
}

int ipam_claim(struct ipam *i, const char *uid, struct in_addr address)
{
	uint32_t offset = ntohl(address.s_addr) - i->network;
	struct lease *l = lease_find(i, uid);

	if (!uid_legal(uid))
		return -EINVAL;
	if (!usable(i, offset))
		return -ERANGE;
	if (l && l->offset == offset)
		return 0;
	if (taken(i, offset))
		return -EEXIST;
	if (l)
		lease_drop(i, l);
	lease_add(i, uid, offset);
	return 0;
}

int ipam_release(struct ipam *i, const char *uid)
{
	struct lease *l = lease_find(i, uid);

	if (l)
		lease_drop(i, l);
	return 0;
}
