/* A directory whose files change all at once, in the shape that Kubernetes gives them and that programs have learnt to watch:
 *
 *   ..2026_11_22_05_08_08.<digits>/   the files
 *   ..data -> ..2026_11_22_...        swapped by one rename
 *   key -> ..data/key                 what people open
 *
 * The digits are of the content's hash: what is there already is not written again, also by a podd that was started anew. */
#pragma once
#include <sys/types.h>
#include "plan/source.h"

/* Makes the content of dirfd what `files` says; `group`, if set, owns the files and can read them. 1: it was changed, 0: it was so
 * already, -errno: it is as it was before. */
int swapdir_write(int dirfd, const struct volume_files *files, const struct id *group);
