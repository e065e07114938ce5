#include "core/note.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/pod.h"

enum {
	MAGIC = 0x31646f70,   /* "pod1" */
	PREFIX_SIZE = 12,     /* magic, checksum of all that follows */
	HEADER_SIZE_MIN = 86, /* after the prefix: the first version's */
	HEADER_SIZE = 94,
	RECORD_SIZE_MIN = 60, /* the first version's */
	RECORD_SIZE = 61,
};
_Static_assert(PREFIX_SIZE + HEADER_SIZE + CONTAINERS_MAX * RECORD_SIZE <= NOTE_SIZE_MAX, "the note of the largest pod fits");

/* The last byte of a record: resize_restarts, the role, and what is known by probes. */
enum { KIND_RESTARTS = 3, KIND_READY = 4, KIND_STARTED = 8, KIND_ROLE_SHIFT = 4, KIND_ROLE_MASK = 3, KIND_CONDEMNED = 64 };
_Static_assert(CONTAINER_ROLE_MAX <= KIND_ROLE_MASK + 1, "a role has two bits");
enum { POD_RECREATE = 1, POD_OVERDUE = 2, POD_RESTART_ALL = 4 };
enum {
	CONTAINER_LAUNCHED = 1,
	CONTAINER_LAUNCH_VOID = 2,
	CONTAINER_RESTART = 4,
	CONTAINER_LAST = 8,
	CONTAINER_OOM = 16,
	CONTAINER_RESIZE = 32,
	CONTAINER_PASSED = 64,
	CONTAINER_HOOKED = 128,
};

static const char *const reasons[] = { "Error", "Completed", "OOMKilled", "StartError", "ContainerStatusUnknown" };

/* Why one is in back-off, from 1; what waits for an image or an object is woken by these words. */
static const char *const waits[] = { "CrashLoopBackOff",  "ErrImagePull",      "ImagePullBackOff",           "ErrImageNeverPull",
	                             "InvalidImageName",  "ImageInspectError", "CreateContainerConfigError", "CreateContainerError",
	                             "RunContainerError", CORE_HOOK_ERROR };

static uint64_t fnv(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h;
}

static uint8_t reason_code(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (streq(reasons[i], reason))
			return (uint8_t)i;
	return 0;
}

static uint8_t wait_code(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (streq(waits[i], reason))
			return (uint8_t)(i + 1);
	return 0;
}

static void put(struct buf *b, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_putc(b, (char)(v >> (8 * i)));
}

static uint64_t to_ms(int64_t ns)
{
	return ns <= 0 ? 0 : (uint64_t)((ns - 1) / NS_PER_MS + 1);
}

static uint64_t to_seconds(int64_t ns)
{
	return ns <= 0 ? 0 : MIN((uint64_t)(ns / NS_PER_SEC), UINT32_MAX);
}

static void put_container(struct buf *b, const struct core_container *k)
{
	const struct termination *t = &k->last;
	unsigned flags = (k->launched ? CONTAINER_LAUNCHED : 0) | (k->launch_void ? CONTAINER_LAUNCH_VOID : 0) |
	                 (k->restart_wanted ? CONTAINER_RESTART : 0) | (t->set ? CONTAINER_LAST : 0) |
	                 (t->exit.oom ? CONTAINER_OOM : 0) | (k->resize_due ? CONTAINER_RESIZE : 0) |
	                 (k->passed ? CONTAINER_PASSED : 0) | (k->hooked ? CONTAINER_HOOKED : 0);

	put(b, fnv(k->name, strlen(k->name)), 8);
	put(b, k->applied_hash, 8);
	put(b, k->next_number, 4);
	put(b, k->restart_count, 4);
	put(b, k->state, 1);
	put(b, flags, 1);
	put(b, MIN(to_ms(k->backoff), UINT32_MAX), 4);
	put(b, to_ms(k->deadline), 6);
	put(b, to_ms(k->launch_boot), 6);
	put(b, t->number, 4);
	put(b, (uint64_t)t->exit.code, 1);
	put(b, (uint64_t)t->exit.signal, 1);
	put(b, reason_code(t->reason), 1);
	put(b, to_seconds(t->started_wall), 4);
	put(b, to_ms(t->exit.wall), 6);
	put(b,
	    k->resize_restarts | (unsigned)k->role << KIND_ROLE_SHIFT | (k->ready ? KIND_READY : 0) |
	            (k->started ? KIND_STARTED : 0) | (k->condemned ? KIND_CONDEMNED : 0),
	    1);
	put(b, wait_code(k->reason), 1);
}

/* What follows the records, as far as there is room: of which record, what, its size, its bytes. */
enum { EXTRA_WAITS = 1, EXTRA_LAST = 2, EXTRA_BEFORE = 3, EXTRA_SIZE_MAX = 255, BEFORE_SIZE = 18 };
_Static_assert(MESSAGE_SIZE <= EXTRA_SIZE_MAX + 1, "a message is one extra");

static void put_extra(struct buf *b, size_t end, size_t record, unsigned what, const char *data, size_t size)
{
	if (!size || b->len + 3 + size > end)
		return;
	put(b, record, 1);
	put(b, what, 1);
	put(b, size, 1);
	buf_append(b, data, size);
}

static void put_before(struct buf *b, size_t end, size_t record, const struct termination *t)
{
	_cleanup_buf_ struct buf before = BUF_NULL;

	if (!t->set)
		return;
	put(&before, t->number, 4);
	put(&before, (uint64_t)t->exit.code, 1);
	put(&before, (uint64_t)t->exit.signal, 1);
	put(&before, reason_code(t->reason), 1);
	put(&before, t->exit.oom, 1);
	put(&before, to_seconds(t->started_wall), 4);
	put(&before, to_ms(t->exit.wall), 6);
	put_extra(b, end, record, EXTRA_BEFORE, before.data, before.len);
}

static void put_extras(struct buf *b, size_t end, size_t record, const struct core_container *k)
{
	put_before(b, end, record, &k->before);
	put_extra(b, end, record, EXTRA_WAITS, k->message, k->state == CONTAINER_STATE_BACKOFF ? strlen(k->message) : 0);
	put_extra(b, end, record, EXTRA_LAST, k->last.message, k->last.set ? strlen(k->last.message) : 0);
}

/* Without a manifest all that is left is to stop them, in order. */
static bool kept(const struct core_pod *p, const struct core_container *k)
{
	return k->spec || !p->pod;
}

void core_note(const struct core_pod *p, struct buf *out)
{
	size_t start = out->len, count = 0;
	uint32_t floor = p->number_floor;

	for (size_t i = 0; i < p->container_count; i++) {
		if (kept(p, &p->containers[i]))
			count++;
		else /* on its way out: that its numbers are used up is all that need be remembered */
			floor = MAX(floor, p->containers[i].next_number);
	}
	put(out, MAGIC, 4);
	put(out, 0, 8);
	put(out, HEADER_SIZE, 2);
	put(out, RECORD_SIZE, 2);
	put(out, count, 1);
	put(out, EDIT_HASH_VERSION, 1);
	put(out,
	    (p->recreate ? POD_RECREATE : 0) | (p->failure == POD_FAILURE_OVERDUE ? POD_OVERDUE : 0) |
	            (p->restart_all ? POD_RESTART_ALL : 0),
	    4);
	put(out, p->applied.spec, 8);
	put(out, p->applied.recreate, 8);
	put(out, p->applied.resize, 8);
	put(out, p->generation, 8);
	put(out, (uint64_t)p->created_wall, 8);
	put(out, (uint64_t)p->sandbox_wall, 8);
	put(out, (uint64_t)p->sandbox_boot, 8);
	put(out, (uint64_t)p->backoff, 8);
	put(out, floor, 4);
	put(out, MIN((uint64_t)MAX(p->grace_seconds, 0), UINT32_MAX), 4);
	put(out, core_pod_evicted(p) ? p->failure : 0, 1);
	put(out, p->failure_item, 2);
	put(out, 0, 1);
	put(out, (uint64_t)p->active_boot, 8);
	for (size_t i = 0; i < p->container_count; i++)
		if (kept(p, &p->containers[i]))
			put_container(out, &p->containers[i]);
	for (size_t i = 0, record = 0; i < p->container_count; i++)
		if (kept(p, &p->containers[i]))
			put_extras(out, start + NOTE_SIZE_MAX, record++, &p->containers[i]);
	uint64_t sum = fnv(out->data + start + PREFIX_SIZE, out->len - start - PREFIX_SIZE);
	for (unsigned i = 0; i < 8; i++)
		out->data[start + 4 + i] = (char)(sum >> (8 * i));
}

struct reader {
	const unsigned char *at;
};

static uint64_t get(struct reader *r, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)r->at[i] << (8 * i);
	r->at += bytes;
	return v;
}

static void get_container(struct reader r, size_t size, struct note_container *k)
{
	struct termination *t = &k->last;

	k->name_hash = get(&r, 8);
	k->applied_hash = get(&r, 8);
	k->next_number = (uint32_t)get(&r, 4);
	k->restart_count = (uint32_t)get(&r, 4);
	uint64_t state = get(&r, 1);
	/* A state of a later podd: as if it had been launched, so that the snapshot decides. */
	k->state = state < CONTAINER_STATE_MAX ? (enum container_state)state : CONTAINER_STATE_STARTING;
	uint64_t flags = get(&r, 1);
	k->backoff_ms = (uint32_t)get(&r, 4);
	k->deadline = (int64_t)get(&r, 6) * NS_PER_MS;
	k->launch_boot = (int64_t)get(&r, 6) * NS_PER_MS;
	t->number = (uint32_t)get(&r, 4);
	t->exit.code = (int)get(&r, 1);
	t->exit.signal = (int)get(&r, 1);
	uint64_t reason = get(&r, 1);
	(void)snprintf(t->reason, sizeof(t->reason), "%s", reasons[reason < ARRAY_SIZE(reasons) ? reason : 0]);
	t->started_wall = (int64_t)get(&r, 4) * NS_PER_SEC;
	t->exit.wall = (int64_t)get(&r, 6) * NS_PER_MS;
	uint64_t kind = get(&r, 1), role = kind >> KIND_ROLE_SHIFT & KIND_ROLE_MASK;
	k->resize_restarts = kind & KIND_RESTARTS;
	k->role = role < CONTAINER_ROLE_MAX ? (enum container_role)role : CONTAINER_ROLE_MEMBER;
	t->set = flags & CONTAINER_LAST;
	t->exit.oom = flags & CONTAINER_OOM;
	k->launched = flags & CONTAINER_LAUNCHED;
	k->launch_void = flags & CONTAINER_LAUNCH_VOID;
	k->restart_wanted = flags & CONTAINER_RESTART;
	k->resize_due = flags & CONTAINER_RESIZE;
	k->passed = flags & CONTAINER_PASSED;
	k->hooked = flags & CONTAINER_HOOKED;
	k->ready = kind & KIND_READY;
	k->started = kind & KIND_STARTED;
	k->condemned = kind & KIND_CONDEMNED;
	uint64_t wait = size >= RECORD_SIZE ? get(&r, 1) : 0;
	k->reason = wait && wait <= ARRAY_SIZE(waits) ? waits[wait - 1] : "";
}

static void get_header(struct reader r, size_t size, struct note *n)
{
	n->comparable = get(&r, 1) == EDIT_HASH_VERSION;
	uint64_t flags = get(&r, 4);
	n->recreate = flags & POD_RECREATE;
	n->restart_all = flags & POD_RESTART_ALL;
	n->applied.spec = get(&r, 8);
	n->applied.recreate = get(&r, 8);
	n->applied.resize = get(&r, 8);
	n->generation = get(&r, 8);
	n->created_wall = (int64_t)get(&r, 8);
	n->sandbox_wall = (int64_t)get(&r, 8);
	n->sandbox_boot = (int64_t)get(&r, 8);
	n->backoff = (int64_t)get(&r, 8);
	n->number_floor = (uint32_t)get(&r, 4);
	n->grace_seconds = (uint32_t)get(&r, 4);
	enum pod_failure evicted = (enum pod_failure)get(&r, 1);
	n->failure = flags & POD_OVERDUE ? POD_FAILURE_OVERDUE : failure_evicts(evicted) ? evicted : POD_FAILURE_NONE;
	n->failure_item = (uint16_t)get(&r, 2);
	(void)get(&r, 1);
	n->active_boot = size >= HEADER_SIZE ? (int64_t)get(&r, 8) : n->sandbox_boot;
}

static void get_before(struct reader r, struct termination *ret)
{
	ret->set = true;
	ret->number = (uint32_t)get(&r, 4);
	ret->exit.code = (int)get(&r, 1);
	ret->exit.signal = (int)get(&r, 1);
	uint64_t reason = get(&r, 1);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", reasons[reason < ARRAY_SIZE(reasons) ? reason : 0]);
	ret->exit.oom = get(&r, 1);
	ret->started_wall = (int64_t)get(&r, 4) * NS_PER_SEC;
	ret->exit.wall = (int64_t)get(&r, 6) * NS_PER_MS;
}

/* Those of a later podd are passed over. */
static void get_extras(const unsigned char *at, const unsigned char *end, struct note *n)
{
	while (end - at >= 3 && end - at - 3 >= at[2] && at[0] < n->container_count) {
		struct note_container *k = &n->containers[at[0]];
		const char *data = (const char *)at + 3;
		size_t size = at[2];
		if (at[1] == EXTRA_WAITS)
			(void)snprintf(k->message, sizeof(k->message), "%.*s", (int)size, data);
		else if (at[1] == EXTRA_LAST)
			(void)snprintf(k->last.message, sizeof(k->last.message), "%.*s", (int)size, data);
		else if (at[1] == EXTRA_BEFORE && size >= BEFORE_SIZE)
			get_before((struct reader){ at + 3 }, &k->before);
		at += 3 + size;
	}
}

bool note_read(const void *data, size_t size, struct note *ret)
{
	struct reader r = { data };

	if (size < PREFIX_SIZE + HEADER_SIZE_MIN || size > NOTE_SIZE_MAX || get(&r, 4) != MAGIC)
		return false;
	uint64_t sum = get(&r, 8);
	if (sum != fnv(r.at, size - PREFIX_SIZE))
		return false;
	const unsigned char *header = r.at;
	size_t header_size = get(&r, 2), record_size = get(&r, 2), count = get(&r, 1);
	if (header_size < HEADER_SIZE_MIN || record_size < RECORD_SIZE_MIN || count > CONTAINERS_MAX ||
	    PREFIX_SIZE + header_size + count * record_size > size)
		return false;
	*ret = (struct note){ .container_count = count };
	get_header(r, header_size, ret);
	for (size_t i = 0; i < count; i++)
		get_container((struct reader){ header + header_size + i * record_size }, record_size, &ret->containers[i]);
	get_extras(header + header_size + count * record_size, (const unsigned char *)data + size, ret);
	return true;
}

const struct note_container *note_find(const struct note *n, const char *name)
{
	uint64_t hash = fnv(name, strlen(name));

	for (size_t i = 0; i < n->container_count; i++)
		if (n->containers[i].name_hash == hash)
			return &n->containers[i];
	return NULL;
}
