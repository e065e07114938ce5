/* The pods by uid and by namespace and name: fixed hash tables, since a box has hundreds of pods and not millions. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/str.h"
#include "core/internal.h"

/* FNV-1a */
static uint32_t hash_add(uint32_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static size_t uid_bucket(const char *uid)
{
	return hash_add(2166136261u, uid) % CORE_BUCKETS;
}

static size_t name_bucket(const char *ns, const char *name)
{
	return hash_add(hash_add(hash_add(2166136261u, ns), "/"), name) % CORE_BUCKETS;
}

struct core_pod *table_find(const struct core *c, const char *uid)
{
	for (struct core_pod *p = c->by_uid[uid_bucket(uid)]; p; p = p->next_by_uid)
		if (streq(p->uid, uid))
			return p;
	return NULL;
}

static struct core_pod *namesake(const struct core *c, const char *ns, const char *name, const struct core_pod *after)
{
	for (struct core_pod *p = after ? after->next_by_name : c->by_name[name_bucket(ns, name)]; p; p = p->next_by_name)
		if (streq(p->pod->metadata.namespace, ns) && streq(p->pod->metadata.name, name))
			return p;
	return NULL;
}

struct core_pod *table_namesake(const struct core *c, const struct pod *pod, const struct core_pod *after)
{
	return namesake(c, pod->metadata.namespace, pod->metadata.name, after);
}

/* While a pod stops, its successor may be there already under another uid: the one that is wanted is the one people mean. */
struct core_pod *table_find_name(const struct core *c, const char *ns, const char *name)
{
	struct core_pod *first = namesake(c, ns, name, NULL);

	for (struct core_pod *p = first; p; p = namesake(c, ns, name, p))
		if (p->wanted)
			return p;
	return first;
}

const struct core_pod *table_find_forgotten(const struct core *c, const char *uid)
{
	list_foreach(p, &c->forgotten, const struct core_pod, link)
		if (streq(p->uid, uid))
			return p;
	return NULL;
}

static void unlink_name(struct core *c, struct core_pod *p)
{
	if (!p->pod)
		return;
	struct core_pod **at = &c->by_name[name_bucket(p->pod->metadata.namespace, p->pod->metadata.name)];
	while (*at != p)
		at = &(*at)->next_by_name;
	*at = p->next_by_name;
}

void table_rename(struct core *c, struct core_pod *p, struct pod *pod)
{
	unlink_name(c, p);
	struct pod *former = p->pod;
	p->pod = pod;
	if (pod) {
		struct core_pod **at = &c->by_name[name_bucket(pod->metadata.namespace, pod->metadata.name)];
		p->next_by_name = *at;
		*at = p;
	}
	pod_unref(former);
}

struct core_pod *table_add(struct core *c, const char *uid)
{
	struct core_pod *p = xnew(struct core_pod);

	(void)snprintf(p->uid, sizeof(p->uid), "%s", uid);
	list_append(&c->pods, &p->link);
	list_init(&p->timed);
	list_init(&p->touched);
	list_init(&p->waiting);
	struct core_pod **at = &c->by_uid[uid_bucket(p->uid)];
	p->next_by_uid = *at;
	*at = p;
	return p;
}

void table_remove(struct core *c, struct core_pod *p)
{
	c->ranked = false;
	unlink_name(c, p);
	struct core_pod **at = &c->by_uid[uid_bucket(p->uid)];
	while (*at != p)
		at = &(*at)->next_by_uid;
	*at = p->next_by_uid;
	list_remove(&p->link);
	list_remove(&p->timed);
	list_remove(&p->touched);
	list_remove(&p->waiting);
	list_append(&c->forgotten, &p->link);
}

void table_bury(struct core *c)
{
	list_foreach(p, &c->forgotten, struct core_pod, link) {
		list_remove(&p->link);
		pod_unref(p->pod);
		free(p->containers);
		free(p);
	}
}
