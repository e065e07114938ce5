/* What podctl's verbs share. A verb is one function; its result is the exit code. */
#pragma once
#include <jansson.h>
#include "base/buf.h"
#include "ctl/args.h"

enum { /* exit codes: podctl(1) */
       CTL_YES = 0,
       CTL_NO = 1,
       CTL_USAGE = 2,
       CTL_REFUSED = 3,
       CTL_UNREACHABLE = 4,
};

struct verb {
	const char *name, *synopsis, *help;
	uint32_t options;
	int (*run)(const struct args *a);
	const char *words; /* for completion: literal words, then "@pods" where names of pods are meant */
};
const struct verb *ctl_verbs(size_t *ret_count);

int verb_get(const struct args *a);
int verb_status(const struct args *a);
int verb_describe(const struct args *a);
int verb_logs(const struct args *a);
int verb_exec(const struct args *a);
int verb_attach(const struct args *a);
int verb_debug(const struct args *a);
int verb_cp(const struct args *a);
int verb_port_forward(const struct args *a);
int verb_validate(const struct args *a);
int verb_explain(const struct args *a);
int verb_diff(const struct args *a);
int verb_plan(const struct args *a);
int verb_apply(const struct args *a);
int verb_create(const struct args *a);
int verb_delete(const struct args *a);
int verb_restart(const struct args *a);
int verb_stop(const struct args *a);
int verb_start(const struct args *a);
int verb_wait(const struct args *a);
int verb_events(const struct args *a);
int verb_images(const struct args *a);
int verb_image(const struct args *a);
int verb_import(const struct args *a);
int verb_prune(const struct args *a);
int verb_census(const struct args *a);
int verb_completion(const struct args *a);
int verb_top(const struct args *a);

/* A line "podctl: ..." on stderr; gives back `code`. */
int ctl_fail(int code, const char *fmt, ...) _printf_(2, 3);
/* What was printed goes out now. Ends podctl if it can't: nobody reads what would follow. */
void ctl_flush(void);

/* "web", "ns/web", "pod/web". A namespace in the name wins over -n. */
struct pod_ref {
	char namespace[64], name[254];
	bool job; /* it is a job, see ctl/pods.h */
};
int pod_ref_parse(const struct args *a, const char *text, struct pod_ref *ret); /* -EINVAL after a message */
void pod_ref_path(const struct pod_ref *p, struct buf *out); /* "/api/v1/namespaces/NS/pods/NAME", or the job's */
void pod_ref_own_path(const struct pod_ref *p, const char *verb, struct buf *out); /* "/apis/podd.dev/v1/.../NAME/VERB" */

void ref_path(const struct pod_ref *p, const char *resource, struct buf *out); /* likewise, of "jobs" */

/* "/api/v1/namespaces/NS/RESOURCE" as -n, -A and -l say. */
void list_path(const struct args *a, const char *resource, struct buf *out);

/* Text from podd or a manifest on a terminal: control characters can't drive it. Pipes get the bytes as they are. */
void ctl_print(const char *text);

/* A value by path, "status.phase"; "" or NULL when it is not there. */
json_t *json_at(const json_t *object, const char *path);
const char *json_text(const json_t *object, const char *path);
int ctl_output_json(const json_t *value);
int ctl_output_yaml(const json_t *value);
