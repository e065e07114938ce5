/* AppArmor: the profile that confines this process, see apparmor(7). Libc only, no heap: podd-launch uses it between clone and exec.
 *
 * Both ask the process's own attributes in the /proc of its mount namespace, of which nothing is believed: an image or a neighbour could
 * have mounted on it what takes the words and forgets them. So it must be the root of a procfs, no other mount may lie in the way, and what
 * was written is read back. 0; -ENOENT: no such profile is loaded, or the kernel has no AppArmor; -EXDEV: not a true /proc; -EPROTO: the
 * kernel names another profile. */
#pragma once
#include <stdbool.h>

enum { APPARMOR_PROFILE_MAX = 4000 }; /* bytes of a name; the kernel takes a page for name and verb */

bool apparmor_enabled(void);
int apparmor_on_exec(const char *profile); /* in force from the next execve(2) on */
int apparmor_change(const char *profile);  /* at once */
