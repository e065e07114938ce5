/* What of /proc and /sys a container does not see, or can't change: what tells of the host or would change it. The lists are those that
 * container engines share. */
#pragma once
#include "plan/build.h"

void hide(struct build *b);
