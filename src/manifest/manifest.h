/* Text to validated pods. Pure: no file is opened here.
 *
 * A file that does not parse yields no documents at all (`parsed` is false): nothing may be concluded from it. In a file that
 * parses, documents stand alone: one that is refused does not touch its neighbours. Every problem is a diag with its place. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/jsonw.h"
#include "manifest/pod.h"

enum severity {
	SEVERITY_ERROR,   /* Kubernetes would refuse it too */
	SEVERITY_REFUSED, /* legal Kubernetes that this podd refuses: by verdict, or not built yet */
	SEVERITY_NOTICE,  /* accepted, worth knowing */
	SEVERITY_MAX,
};

struct diag {
	enum severity severity;
	unsigned line, column; /* from 1; 0: the whole file */
	const char *field;     /* "spec.containers[0].image", or "" */
	const char *text;      /* in Kubernetes' terms: "Required value", "unknown field \"containres\"" */
	const char *hint;      /* the way out, or NULL */
};

enum { MANIFEST_DIAGS_MAX = 50, MANIFEST_SIZE_MAX = 1 << 20 };

struct config_object;

/* Documents of kinds that say nothing to one machine (Namespace, ServiceAccount...) are not among them. */
struct document {
	unsigned line;     /* where it begins */
	const char *kind;  /* NULL if there was none */
	bool unclear;      /* what it is: a kind that is missing, misspelt or of no use. It may be what was good before */
	const char *makes; /* its kind, or what comes of it: of a Deployment a Pod */
	const char *namespace, *name; /* as far as they could be read, else NULL; namespace defaulted; of the pod that it makes */
	struct pod *pod;              /* NULL: refused, see the diags. Of a Job or CronJob its template: pod_runs() */
	bool none;                    /* replicas: 0, there is to be no pod */
	struct config_object *config; /* of a ConfigMap, Secret, PriorityClass or RuntimeClass; NULL: refused */
};

struct manifest {
	struct arena *arena;
	const char *file;
	bool parsed;
	bool portable; /* asked for notices about what would not run elsewhere */
	struct document *documents;
	size_t document_count;
	struct diag *diags;
	size_t diag_count;
	size_t diags_dropped; /* beyond MANIFEST_DIAGS_MAX */
};

/* `file` is only named in messages. Never fails as a call: what is wrong with the text is in the diags. */
void manifest_read(const char *file, const char *text, size_t size, struct manifest *ret);
void manifest_read_portable(const char *file, const char *text, size_t size, struct manifest *ret); /* with such notices */
void manifest_deinit(struct manifest *m);

enum severity manifest_worst(const struct manifest *m); /* SEVERITY_MAX when there is no diag at all */

/* "FILE:LINE:COL: error: FIELD: text; hint", control characters escaped, no newline. */
void diag_print(const struct diag *d, const char *file, struct buf *out);

/* The pod as Kubernetes' JSON, driven by the schema table: metadata and spec with defaults filled in, as two members
 * ("metadata", "spec") of an object the caller has open. `uid` and `resource_version` are added to metadata if not NULL. */
void pod_json(const struct pod *p, const char *uid, const char *resource_version, struct jsonw *w);
void resources_json(const struct resources *r, struct jsonw *w); /* an object */
void resource_list_json(const struct resource_list *l, struct jsonw *w);
void pod_spec_json_open(const struct pod *p, struct jsonw *w); /* likewise */

/* What an edit costs, least first. */
enum edit {
	EDIT_NONE,
	EDIT_UPDATE,   /* labels, annotations, grace: only what podd knows changes */
	EDIT_RESIZE,   /* limits, written in place */
	EDIT_RESTART,  /* this container anew, in the same sandbox */
	EDIT_RECREATE, /* the whole sandbox anew */
	EDIT_MAX,
};
const char *edit_name(enum edit e); /* "none", "update", "resize", "restart", "recreate" */

struct container_edit {
	const char *name;
	enum edit edit;      /* EDIT_RESTART for one that is added or removed */
	const char *field;   /* the field that causes it, or NULL */
	bool added, removed; /* is in one version only */
};

struct pod_edit {
	struct arena *arena;
	enum edit pod, own;                /* the worst of all; what fields outside of the containers cost */
	const char *field, *own_field;     /* the fields that cause them, or NULL */
	struct container_edit *containers; /* those of `to` in its order, then those that are removed */
	size_t container_count;
};

/* `from` and `to` must outlive the edit. */
void pod_diff(const struct pod *from, const struct pod *to, struct pod_edit *ret);
void pod_edit_deinit(struct pod_edit *e);

/* The same question when only hashes of the old version are left, as after a restart of podd: what differs must be redone at the
 * cost named. A field that is not set does not count, so a podd that knows more fields gets the same hashes from the same
 * manifest. Hashes of different EDIT_HASH_VERSION can't be compared. */
enum { EDIT_HASH_VERSION = 2 };
uint64_t pod_edit_hash(const struct pod *p, enum edit cost); /* EDIT_RESIZE, or EDIT_RECREATE */
uint64_t pod_spec_hash(const struct pod *p);                 /* of all of the spec, whatever an edit of it costs */

/* resizePolicy: of which resources an edit restarts the container. The version that runs decides, since an edit that changes policy and
 * limit at once would else depend on what is looked at first. */
enum { RESTARTS_CPU = 1, RESTARTS_MEMORY = 2 };
unsigned container_resize_restarts(const struct container *c);
uint64_t container_edit_hash(const struct pod *p, const struct container *c, unsigned restarts); /* EDIT_RESTART */

/* Quantities as resource.Quantity of Kubernetes; the grammar stands in quantity.c. 0, or -EINVAL, -ERANGE. */
int quantity_parse(const char *text, struct quantity *ret);
int64_t quantity_value(const struct quantity *q); /* whole units, rounded up, clamped to int64 */
int64_t quantity_milli(const struct quantity *q);
void quantity_print(const struct quantity *q, struct buf *out); /* canonical */
