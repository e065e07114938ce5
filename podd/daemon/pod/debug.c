#include "daemon/pod/debug.h"
#include <stdio.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/sandbox.h"
#include "manifest/ephemeral.h"

static void set(struct daemon *d, const char *uid, struct pod *pod, enum pod_outcome outcome)
{
	struct event e = daemon_event(EVENT_POD_SET, uid, NULL, 0);

	e.pod = pod;
	e.outcome = outcome;
	logs_first_numbers(d, pod, uid, e.first_numbers);
	daemon_step(d, &e);
}

void debug_set_pod(struct daemon *d, const char *uid, struct pod *pod, enum pod_outcome outcome)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_free_ char *why = NULL;
	char path[POD_UID_SIZE + 32];
	struct pod *version = NULL;

	(void)snprintf(path, sizeof(path), "pods/%s/" DEBUG_FILE, uid);
	int r = file_read(d->run_fd, path, MANIFEST_SIZE_MAX, &text);
	if (r >= 0)
		r = ephemeral_add(pod, buf_str(&text), text.len, &version, &why);
	if (r < 0 && r != -ENOENT) /* an edit may have taken out the volume that one of them mounts */
		daemon_report(d, uid, NULL, false, "DebugContainersLost", "%s; the pod's debug containers are stopped",
		              why ? why : strerror(-r));
	set(d, uid, version ? version : pod, outcome);
	pod_unref(version);
}

static int save(struct daemon *d, const char *uid, const struct pod *version)
{
	struct sandbox *s = sandbox_find(d, uid);
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &text);
	jsonw_object(&w);
	ephemeral_json(version, &w);
	jsonw_end(&w);
	if (text.len > MANIFEST_SIZE_MAX)
		return -EFBIG;
	/* /run does not outlive a power cut, nor do the containers. */
	return s ? file_replace_unsynced(s->run_fd, DEBUG_FILE, text.data, text.len, 0600) : -ENOENT;
}

int debug_add(struct daemon *d, const struct core_pod *p, const char *text, size_t size, char **ret_why)
{
	struct pod *version;
	int r = ephemeral_add(p->pod, text, size, &version, ret_why);

	if (r < 0)
		return r;
	r = save(d, p->uid, version);
	if (r == 0)
		set(d, p->uid, version, p->outcome);
	pod_unref(version);
	return r;
}

void debug_end(struct daemon *d, const char *uid)
{
	const struct core_pod *p = core_pod_by_uid(d->core, uid);

	if (!p || !p->wanted || !p->pod->spec.ephemeral.count)
		return;
	struct pod *base = ephemeral_base(p->pod);
	set(d, uid, base, p->outcome);
	pod_unref(base);
}
