#include "daemon/effects.h"
#include <string.h>
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"
#include "daemon/controller.h"
#include "daemon/pod/evict.h"
#include "daemon/pod/hook.h"
#include "daemon/pod/launch.h"
#include "daemon/leases.h"
#include "daemon/probe/probe.h"
#include "daemon/pod/sandbox.h"
#include "daemon/pod/volumes.h"

static void send_note(struct daemon *d, const char *uid)
{
	struct sandbox *s = sandbox_find(d, uid);
	_cleanup_buf_ struct buf note = BUF_NULL;
	struct anchor_note m = { .header = { ANCHOR_NOTE, 0, 0 } };

	if (!s || !s->anchor)
		return; /* its death is on the way to the core */
	core_note(core_pod_by_uid(d->core, uid), &note);
	if (note.len > sizeof(m.data)) {
		daemon_report(d, uid, NULL, false, "InternalError", "the pod's note does not fit: %zu bytes", note.len);
		return;
	}
	memcpy(m.data, buf_str(&note), note.len);
	m.size = (uint32_t)note.len;
	size_t size = offsetof(struct anchor_note, data) + note.len;
	m.header.size = (uint16_t)size;
	(void)anchor_send(s->anchor, &m, size, NULL, 0);
}

static void forget(struct daemon *d, const char *uid)
{
	api_forgotten(d, uid); /* first: its last state names its file */
	volumes_forget(d, uid);
	accept_forget(d, uid);
	leases_release(d, uid);
	controller_pod_forgotten(d, uid);
}

void effect_run(struct daemon *d, const struct effect *e)
{
	switch (e->type) {
	case EFFECT_SANDBOX_CREATE:
		sandbox_create(d, e->id.uid);
		break;
	case EFFECT_SANDBOX_DESTROY:
		sandbox_destroy(d, e->id.uid);
		break;
	case EFFECT_LAUNCH:
		launch_start(d, &e->id);
		break;
	case EFFECT_ABORT:
		launch_abort(d, &e->id);
		break;
	case EFFECT_HOOK:
		hook_run(d, &e->id, e->hook);
		break;
	case EFFECT_PROBE:
		probe_make(d, &e->id, e->probe);
		break;
	case EFFECT_SIGNAL:
		launch_signal(d, &e->id, e->signal);
		break;
	case EFFECT_KILL:
		launch_kill(d, &e->id);
		break;
	case EFFECT_ACK:
		launch_ack(d, &e->id);
		break;
	case EFFECT_NOTE:
		send_note(d, e->id.uid);
		break;
	case EFFECT_RESIZE:
		sandbox_resize(d, e->id.uid);
		break;
	case EFFECT_FORGET:
		forget(d, e->id.uid);
		break;
	case EFFECT_REPORT:
		daemon_report(d, e->id.uid, e->id.container, e->normal, e->reason, "%s", e->message);
		break;
	case EFFECT_CHANGED:
		api_changed(d, e->id.uid);
		controller_pod_changed(d, e->id.uid);
		evict_pod_changed(d, e->id.uid);
		break;
	case EFFECT_MAX:
		break;
	}
}
