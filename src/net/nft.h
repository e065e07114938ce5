/* nftables, as far as podd speaks it: rules by the nft program, which knows the language; elements of sets, counting and deletion by
 * nfnetlink, since a process on the path of a pod's start would cost more than all else there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { NFT_KEY_MAX = 16, NFT_COMMENT_SIZE = 64 };

/* An element of a set or, with data, of a map. Fields of a concatenation each fill 4 bytes, big-endian, zeros behind. */
struct nft_element {
	const char *set;
	unsigned char key[NFT_KEY_MAX], data[NFT_KEY_MAX];
	size_t key_size, data_size;
	char comment[NFT_COMMENT_SIZE];
};

/* Runs `nft -f -` on the text. -ENOENT: there is no nft; -EIO: it refused, with its first line in `error`; -ETIMEDOUT. */
int nft_run(const char *script, struct buf *error);

/* Removes and adds elements of a table in one transaction. New ones must not be there yet (-EEXIST), old ones must (-ENOENT). */
struct nft_change {
	bool remove;
	const struct nft_element *element;
};
int nft_change(int fd, const char *table, const struct nft_change *changes, size_t count);

/* Appends the elements of a set to a vector. A missing set is -ENOENT. */
int nft_elements(int fd, const char *table, const char *set, struct nft_element **items, size_t *count);

/* How many rules a table has, and how many of them carry this comment. A missing table has none. */
int nft_rules(int fd, const char *table, const char *comment, unsigned *ret_all, unsigned *ret_ours);

/* Each table of the inet family. */
int nft_tables(int fd, int (*fn)(const char *name, void *arg), void *arg);
int nft_table_remove(int fd, const char *name); /* absence is success */
