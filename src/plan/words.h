/* What a container runs: its command line and environment, from manifest and image. */
#pragma once
#include "plan/compile.h"

/* Kubernetes' table of command, args, entrypoint and cmd, with $(VAR) of `env` expanded. -EINVAL when there is nothing to run. */
int words_argv(struct arena *a, const struct container *c, const struct image_config *image, const struct label_list *env,
               struct string_list *ret);

/* "NAME=value": podd's defaults, then the image's, then the manifest's own (source_env); a later one of the same name takes the place of
 * the earlier. */
void words_environment(struct arena *a, const struct pod *pod, const struct image_config *image, const struct label_list *own,
                       const char *home, bool tty, struct string_list *ret);
