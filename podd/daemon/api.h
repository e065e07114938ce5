/* What podd's socket serves: Kubernetes' own paths for what Kubernetes has, /apis/podd.dev/v1 for podd's verbs (podd-api(7)).
 *
 *   api.c        routes, errors, discovery
 *   api_pod.c    pods: lists, tables, one
 *   api_object.c a pod as Kubernetes' JSON
 *   api_event.c  events, also as a watch
 *   api_log.c    a container's log, also while it grows
 *   api_exec.c   exec, over frames of wire/stream.h
 *   api_attach.c attach, likewise
 *   api_podd.c   restart, stop, start, status, census
 *
 * The API defines no pods: the manifest directory does. */
#pragma once
#include <arpa/inet.h>
#include "base/jsonw.h"
#include "daemon/daemon.h"
#include "daemon/http.h"
#include "daemon/selector.h"

struct api {
	struct daemon *d;
	struct http_service service;
	struct list logs; /* of struct log_stream.link: those that follow */
};

/* For effects: the pod's status has changed. */
void api_changed(struct daemon *d, const char *uid);

/* An answer that is an error, as Kubernetes' Status object. `name` and `kind` ("pods") may be NULL. */
void api_error(struct http_request *q, int code, const char *name, const char *kind, const char *fmt, ...) _printf_(5, 6);
/* An error about one pod, with the usual words. */
void api_pod_not_found(struct http_request *q, const char *name);
void api_success(struct http_request *q);
void api_reply_json(struct http_request *q, const struct buf *json);
bool api_wants_table(const struct http_request *q);
/* The pod that the first two arguments of the route name, or NULL after a 404. */
const struct core_pod *api_find_pod(struct api *a, struct http_request *q);
/* The container that `container=` names, or the only one, or the one of the annotation; NULL after an error. */
const struct core_container *api_find_container(struct http_request *q, const struct core_pod *p);
void api_time(struct jsonw *w, const char *key, int64_t wall);    /* null for 0 */
void api_version_member(struct jsonw *w, const struct daemon *d); /* "resourceVersion" */

/* The selectors of a list: `labelSelector`, and `fieldSelector` over the fields named. False after an error. */
bool api_label_selector(struct http_request *q, struct selector *ret);
bool api_field_selector(struct http_request *q, const char *const *names, size_t count, struct selector *ret);
/* `head`: with kind and apiVersion, which the items of a list do not carry. */
void api_pod_json(const struct daemon *d, const struct core_pod *p, bool head, struct jsonw *w);
void api_pod_metadata_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w); /* the member "metadata" */
/* The range's first address: that of the host's end of each pod's link, so the host as its pods see it. */
void api_host_address(const struct daemon *d, char ret[static INET_ADDRSTRLEN]);

/* Handlers; `arg` is the struct api. */
void api_pod_list(struct http_request *q, void *arg);
void api_pod_get(struct http_request *q, void *arg);
void api_pod_write(struct http_request *q, void *arg);
void api_event_list(struct http_request *q, void *arg);
void api_log_get(struct http_request *q, void *arg);
void api_log_changed(struct api *a, const char *uid);
void api_exec(struct http_request *q, void *arg);
void api_attach(struct http_request *q, void *arg);
void api_podd_restart(struct http_request *q, void *arg);
void api_podd_stop(struct http_request *q, void *arg);
void api_podd_start(struct http_request *q, void *arg);
void api_podd_stop_all(struct http_request *q, void *arg);
void api_podd_status(struct http_request *q, void *arg);
void api_podd_census(struct http_request *q, void *arg);
