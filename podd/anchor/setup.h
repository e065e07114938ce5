/* What the anchor does before it serves: options, namespaces' first settings, descriptors. A failure here ends it, and podd tells why. */
#pragma once
#include "anchor/anchor.h"
#include "anchor/crifile.h"

struct strings { /* of the options, once the arguments are overwritten by the title */
	char path[108];
};

int setup_options(struct options *o, char **argv); /* 0 or -errno */
int setup(struct anchor *a, struct strings *strings, char **argv);
