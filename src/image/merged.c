#include "image/merged.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/fd.h"
#include "sys/path.h"

/* What a layer says of a path. */
enum verdict { SAYS_NOTHING, HAS_IT, HIDES_IT };

/* Whether what the layers below have at `path`'s directory is hidden by this one. */
static bool hides_below(int layer, const char *path)
{
	char parent[256] = "", opaque = 0;
	struct stat st;

	strncat(parent, path, MIN(sizeof(parent) - 1, strcspn(path, "/")));
	_cleanup_close_ int dir = path_open(layer, parent, O_RDONLY | O_DIRECTORY, PATH_STRICT);
	if (dir == -ENOENT)
		return false;
	if (dir < 0) /* a whiteout, or something else in its place */
		return true;
	return fstat(dir, &st) < 0 || (fgetxattr(dir, "trusted.overlay.opaque", &opaque, 1) == 1 && opaque == 'y');
}

static enum verdict look(int layer, const char *path, struct buf *out, const char **ret_flaw)
{
	struct stat st;

	_cleanup_close_ int at = path_open(layer, path, O_PATH, PATH_FOLLOW);
	if (at < 0)
		return hides_below(layer, path) ? HIDES_IT : SAYS_NOTHING;
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret_flaw = "is no regular file";
		return HIDES_IT;
	}
	if (st.st_size > IMAGE_FILE_MAX) {
		*ret_flaw = "is larger than 1 MiB";
		return HIDES_IT;
	}
	_cleanup_close_ int fd = path_open(layer, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, PATH_FOLLOW);
	if (fd >= 0 && fd_read_all(fd, IMAGE_FILE_MAX, out) == 0)
		return HAS_IT;
	*ret_flaw = "can't be read";
	return HIDES_IT;
}

char *image_file_text(int dirfd, const struct string_list *layers, const char *path, struct arena *a, const char **ret_flaw)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	enum verdict v = SAYS_NOTHING;

	*ret_flaw = NULL;
	for (size_t i = 0; i < MAX(layers->count, (size_t)1) && v == SAYS_NOTHING; i++) {
		_cleanup_close_ int layer =
			path_open(dirfd, layers->count ? layers->items[i] : ".", O_PATH | O_DIRECTORY, PATH_STRICT);
		v = layer < 0 ? HIDES_IT : look(layer, path, &text, ret_flaw);
	}
	return v == HAS_IT ? arena_strdup(a, buf_str(&text)) : NULL;
}
