/* pods/NAME/ephemeralcontainers, as `kubectl debug` uses it: PATCH with the new ones; PUT with the pod; PUT of kind EphemeralContainers,
 * after a GET of the same, by clients of before Kubernetes 1.22. */
#include <stdio.h>
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/pod/debug.h"
#include "manifest/ephemeral.h"

static const char old_kind[] = "EphemeralContainers";

static void reply_old(struct http_request *q, const struct core_pod *p)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_member_str(&w, "kind", old_kind);
	jsonw_member_str(&w, "apiVersion", "v1");
	jsonw_key(&w, "metadata");
	jsonw_object(&w);
	jsonw_member_str(&w, "name", p->pod->metadata.name);
	jsonw_member_str(&w, "namespace", p->pod->metadata.namespace);
	jsonw_end(&w);
	if (p->pod->spec.ephemeral.count) {
		ephemeral_json(p->pod, &w);
	} else {
		jsonw_key(&w, "ephemeralContainers");
		jsonw_array(&w);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	api_reply_json(q, &out);
}

void api_debug_get(struct http_request *q, void *arg)
{
	const struct core_pod *p = api_find_pod(arg, q);

	if (p)
		reply_old(q, p);
}

void api_debug_add(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct buf *body = http_body(q);
	_cleanup_free_ char *why = NULL;

	if (!p)
		return;
	const char *name = p->pod->metadata.name;
	if (p->state != POD_STATE_RUNNING || !p->wanted) {
		api_error(q, 409, name, "pods", "pod %s is not running: there is nothing to debug it in", name);
		return;
	}
	int r = debug_add(a->d, p, buf_str(body), body->len, &why);
	if (r < 0)
		api_error(q, r == -EBADMSG ? 422 : 500, name, "pods", "Pod \"%s\" is invalid: %s", name, why ? why : strerror(-r));
	else if (strstr(buf_str(body), old_kind))
		reply_old(q, core_pod_by_uid(a->d->core, p->uid));
	else
		api_pod_get(q, a);
}
