/* What podd's socket serves: Kubernetes' own paths for what Kubernetes has, /apis/podd.dev/v1 for podd's verbs (podd-api(7)).
 *
 *   api.c            routes, errors, discovery
 *   api_kind.h       what lists and watches need of a kind of objects; api_list.c, api_watch.c
 *   api_pod.c        pods as a kind; api_object.c: one as Kubernetes' JSON
 *   api_job.c, api_cronjob.c    jobs and cron jobs as kinds
 *   api_event.c, api_namespace.c, api_node.c: the other kinds
 *   api_stats.c      what pods use, as podd's stats and as metrics.k8s.io
 *   api_log.c        a container's log, also while it grows
 *   api_exec.c       exec and copy, over frames of wire/stream.h; api_attach.c: attach, likewise
 *   api_debug.c      ephemeral containers, added to a pod that runs
 *   api_image.c      the image store: list, import, prune
 *   api_forward.c    portforward, likewise: a connection into the pod
 *   api_podd.c       restart, stop, start, status, census
 *
 * The API defines no pods: the manifest directory does. */
#pragma once
#include <arpa/inet.h>
#include "base/jsonw.h"
#include "daemon/api/api_kind.h"
#include "daemon/daemon.h"
#include "daemon/api/feed.h"
#include "daemon/api/http.h"
#include "daemon/api/selector.h"

/* The version of Kubernetes whose API this resembles: clients compare it with their own. */
#define API_MINOR "33"
#define API_GIT_VERSION "v1." API_MINOR ".0-podd" PODD_VERSION

struct api {
	struct daemon *d;
	struct http_service service;
	struct list logs;                                                         /* of struct log_stream.link: those that follow */
	struct feed pod_feed, namespace_feed, node_feed, job_feed, cron_job_feed; /* that of events is the record's */
	struct api_resource pods, events, namespaces, nodes, jobs, cron_jobs;
	uv_idle_t wake;      /* tells the watchers, once for all that a turn of the loop has changed */
	struct list samples; /* of struct api_sample.link: what pods had used at the last look */
};

/* For effects. The pod's status has changed; it was forgotten (core_pod_forgotten() has it still); a line was added to the record. */
void api_changed(struct daemon *d, const char *uid);
void api_forgotten(struct daemon *d, const char *uid);
void api_reported(struct daemon *d);
void api_workload_changed(struct daemon *d, const char *uid); /* a job or cron job */
void api_workload_forgotten(struct daemon *d, const char *uid);
/* EVENT_GO was handled: all pods are known. */
void api_ready(struct daemon *d);

/* An answer that is an error, as Kubernetes' Status object. `name` and `kind` ("pods") may be NULL. */
void api_error(struct http_request *q, int code, const char *name, const char *kind, const char *fmt, ...) _printf_(5, 6);
void api_status_json(struct buf *out, int code, const char *name, const char *kind, const char *message);
void api_success(struct http_request *q);
void api_reply_json(struct http_request *q, const struct buf *json);
/* The pod that the first two arguments of the route name, or NULL after a 404. */
const struct core_pod *api_find_pod(struct api *a, struct http_request *q);
/* The container that `container=` names, or the only one, or the one of the annotation; NULL after an error. */
const struct core_container *api_find_container(struct http_request *q, const struct core_pod *p);
void api_time(struct jsonw *w, const char *key, int64_t wall); /* null for 0 */
void api_version_member(struct jsonw *w, uint64_t version);    /* "resourceVersion" */
const char *api_arch(const char *machine);                     /* Go's name of uname's */

void api_pod_json(const struct daemon *d, const struct core_pod *p, uint64_t version, struct jsonw *w);
void api_pod_metadata_json(const struct daemon *d, const struct core_pod *p, uint64_t version, struct jsonw *w); /* a value */
/* The range's first address: that of the host's end of each pod's link, so the host as its pods see it. */
void api_host_address(const struct daemon *d, char ret[static INET_ADDRSTRLEN]);

extern const struct api_kind api_pod_kind, api_event_kind, api_namespace_kind, api_node_kind, api_job_kind, api_cron_job_kind;
struct api *api_of(struct daemon *d); /* NULL: nothing is served */
void api_wake(struct api *a);         /* the watchers, when this turn of the loop is over */
void api_pod_item_free(struct feed_item *i);
void api_pod_changed(struct api *a, const char *uid);
void api_pod_forgotten(struct api *a, const char *uid);
void api_namespace_item_free(struct feed_item *i);
void api_namespace_used(struct api *a, const char *name, bool used); /* by one more pod, or by one less */
void api_node_item_free(struct feed_item *i);
void api_node_add(struct api *a);
void api_job_item_free(struct feed_item *i);
void api_job_list(struct http_request *q, void *arg);
void api_job_get(struct http_request *q, void *arg);
void api_cron_job_list(struct http_request *q, void *arg);
void api_cron_job_get(struct http_request *q, void *arg);
void api_cron_job_run(struct http_request *q, void *arg);
/* What both kinds share, of their feeds' items. */
extern const char *const api_workload_fields[];
enum { API_WORKLOAD_FIELDS = 3 };
const char *api_workload_uid(const struct feed_item *i);
const char *api_workload_field(const char *key, const void *item);
const char *api_workload_label(const char *key, const void *item);
void api_workload_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w);
void api_containers_cells(const struct pod *template, struct jsonw *w);
void api_owner_json(const struct owner *o, struct jsonw *w); /* "ownerReferences", if there is one */
void api_map_json(const char *key, const struct label_list *l, struct jsonw *w);
void api_stats_deinit(struct api *a);

/* Handlers; `arg` is the struct api. */
void api_pod_list(struct http_request *q, void *arg);
void api_pod_get(struct http_request *q, void *arg);
void api_pod_write(struct http_request *q, void *arg);
void api_debug_get(struct http_request *q, void *arg);
void api_debug_add(struct http_request *q, void *arg);
void api_event_list(struct http_request *q, void *arg);
void api_namespace_list(struct http_request *q, void *arg);
void api_namespace_get(struct http_request *q, void *arg);
void api_node_list(struct http_request *q, void *arg);
void api_node_get(struct http_request *q, void *arg);
void api_stats_list(struct http_request *q, void *arg);
void api_metrics_list(struct http_request *q, void *arg);
void api_metrics_get(struct http_request *q, void *arg);
void api_log_get(struct http_request *q, void *arg);
void api_log_changed(struct api *a, const char *uid);
void api_exec(struct http_request *q, void *arg);
void api_attach(struct http_request *q, void *arg);
void api_copy(struct http_request *q, void *arg);
void api_forward(struct http_request *q, void *arg);
void api_podd_restart(struct http_request *q, void *arg);
void api_podd_stop(struct http_request *q, void *arg);
void api_podd_start(struct http_request *q, void *arg);
void api_podd_stop_all(struct http_request *q, void *arg);
void api_podd_status(struct http_request *q, void *arg);
void api_image_list(struct http_request *q, void *arg);
void api_image_import(struct http_request *q, void *arg);
void api_image_prune(struct http_request *q, void *arg);
void api_podd_census(struct http_request *q, void *arg);
