/* One layer as a directory: entries of a tar put in place, one after the other, below a root that nothing leaves.
 *
 * - A path is walked by openat2(2), with this layer's root as /: symlinks that the layer itself has made are followed inside it, as
 *   other unpackers do. Only hard links are stricter: their target is there already and no symlink leads to it.
 * - A whiteout is known by its name, whatever its type: ".wh.NAME" becomes a character device 0:0 named NAME, ".wh..wh..opq" makes its
 *   directory opaque; other names in ".wh..wh." and what lies below a whiteout are left out. Whiteouts hide what lower layers have, never
 *   what this layer has: an own directory of that name becomes opaque instead. A device 0:0 in a tar is refused.
 * - The mark of an opaque directory (trusted.overlay.opaque) takes CAP_SYS_ADMIN, which nobody who reads strangers' bytes shall have. Such
 *   directories are listed instead, and marked by the process outside of the jail. The root of a layer can't be opaque for overlayfs:
 *   there a whiteout for each name of the lower layers does it.
 * - Directories that a tar leaves out look as in the layers below (mode, owner, times), else 0755 of root.
 * - Making an entry changes its directory's time: it is put back when the next entry is in another directory, so no list is kept. */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "image/limits.h"

struct archive;
struct archive_entry;

struct tree {
	int root;
	const int *lowers; /* the layers below, lowest first */
	size_t lower_count;
	const char *name;    /* of the layer, for the list */
	struct buf *opaque;  /* "name/path", each with its NUL */
	size_t opaque_count; /* of this layer */
	bool root_opaque;
	int parent; /* the directory of the last entry, O_PATH, and its times */
	char parent_path[LIMIT_NAME + 1];
	struct stat parent_stat;
	char path[LIMIT_NAME + 1]; /* of the entry in hand */
};

/* root: an empty directory; it gets the attributes of the lower layers' root, until the tar has an entry for it. */
int tree_init(struct tree *t, int root, const int *lowers, size_t lower_count, const char *name, struct buf *opaque);
int tree_add(struct tree *t, struct archive *a, struct archive_entry *e);
int tree_finish(struct tree *t); /* all entries are in */
void tree_deinit(struct tree *t);
