/* Why the import failed, in words for the user. A process does one import, so there is one text: the first refusal writes it, and those
 * it passes on its way up put before it where that was. */
#pragma once
#include "base/cleanup.h"

int refuse(const char *fmt, ...) _printf_(1, 2);           /* the content is not as it must be: returns -EBADMSG */
int why_where(int r, const char *fmt, ...) _printf_(2, 3); /* "WHERE: " before the text, or before the errno's; returns r */
const char *why_text(int r);                               /* never NULL; control characters are escaped */
