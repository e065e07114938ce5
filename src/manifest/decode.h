/* Nodes to the typed Pod, driven by the schema table alone. Checks of single values run here, where place and path are at hand;
 * rules between fields run later over the struct and ask decoder_place() where a field was written. */
#pragma once
#include "base/cleanup.h"
#include "manifest/diags.h"
#include "manifest/schema.h"

enum { SCHEMA_DEPTH_MAX = 16, NOTICED_MAX = 64 };

struct place {
	const void *field; /* address of the stored value */
	const struct node *node;
};

struct decoder {
	struct manifest *m;
	struct arena *arena; /* the pod's */
	const struct node *root;
	struct path path;
	const struct schema *schemas[SCHEMA_DEPTH_MAX]; /* from the Pod down to what is being decoded */
	unsigned schema_depth;
	struct place *places;
	size_t place_count;
	const struct field *noticed[NOTICED_MAX]; /* fields without effect are mentioned once a document */
	size_t noticed_count;
	struct buf no_ops; /* their paths */
	const struct node *no_op_at;
	unsigned unbuilt_depth; /* inside a field that isn't built, or has no effect: nothing is stored */
	unsigned errors;
	bool failed;
	bool secret; /* values are shown to nobody */
};

/* Fills *pod from the document. True if nothing but notices was found; else what is filled in is of no use. */
bool decode_pod(struct decoder *d, struct pod *pod);
/* The same for another table than the Pod's; *base is the zeroed struct of `s`. */
bool decode_root(struct decoder *d, const struct schema *s, void *base);
void decoder_deinit(struct decoder *d);

/* Where the value stored at `field` was written; the document when it is a default. */
const struct node *decoder_place(const struct decoder *d, const void *field);

/* A finding at d->path; ignored inside of what isn't built, unless Kubernetes would refuse it. Everything but a notice fails the document. */
void decoder_find(struct decoder *d, enum severity severity, const struct node *where, const char *hint, const char *fmt, ...)
	_printf_(5, 6);
