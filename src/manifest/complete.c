#include "manifest/complete.h"
#include "manifest/manifest.h"

/* A limit without a request is a request too. */
static void default_requests(struct resources *r)
{
	if (!r->requests.cpu.set)
		r->requests.cpu = r->limits.cpu;
	if (!r->requests.memory.set)
		r->requests.memory = r->limits.memory;
}

static bool given(const struct quantity *q)
{
	return q->set && q->nano > 0;
}

/* As the kubelet's ComputePodQOS: zero counts as not given; guaranteed means that every container has both limits, and that
 * requests and limits agree, as sums over the pod. */
static enum qos compute_qos(const struct container_list *l)
{
	__int128 cpu = 0, memory = 0; /* limits less requests */
	bool any = false, all = true;

	for (size_t i = 0; i < l->count; i++) {
		const struct resource_list *limits = &l->items[i].resources.limits, *requests = &l->items[i].resources.requests;
		any |= given(&limits->cpu) || given(&limits->memory) || given(&requests->cpu) || given(&requests->memory);
		all &= given(&limits->cpu) && given(&limits->memory);
		cpu += limits->cpu.nano - requests->cpu.nano;
		memory += limits->memory.nano - requests->memory.nano;
	}
	if (!any)
		return QOS_BEST_EFFORT;
	return all && cpu == 0 && memory == 0 ? QOS_GUARANTEED : QOS_BURSTABLE;
}

static void compute_hash(struct pod *p)
{
	_cleanup_buf_ struct buf json = BUF_NULL;
	struct jsonw w;
	const char *uid = p->metadata.uid;

	/* Whether the uid is written down or chosen by podd changes nothing of what runs. */
	p->metadata.uid = NULL;
	jsonw_init(&w, &json);
	jsonw_object(&w);
	pod_json(p, /* uid= */ NULL, /* resource_version= */ NULL, &w);
	jsonw_end(&w);
	p->metadata.uid = uid;
	sha256_hex(json.data, json.len, p->hash);
}

void pod_complete(struct pod *p)
{
	for (size_t i = 0; i < pod_container_count(p); i++)
		default_requests(&((struct container *)pod_container_at(p, i))->resources);
	for (size_t i = 0; i < p->spec.volumes.count; i++) {
		struct volume *v = &p->spec.volumes.items[i];
		v->empty_dir.set |= !v->host_path.set && !v->claim.set && !volume_is_files(v);
	}
	p->qos = compute_qos(&p->spec.containers);
	compute_hash(p);
}
