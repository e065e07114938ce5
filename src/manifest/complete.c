#include "manifest/complete.h"
#include "manifest/manifest.h"

/* A limit without a request is a request too. */
static void default_requests(struct resources *r)
{
	if (!r->requests.cpu.set)
		r->requests.cpu = r->limits.cpu;
	if (!r->requests.memory.set)
		r->requests.memory = r->limits.memory;
	if (!r->requests.disk.set)
		r->requests.disk = r->limits.disk;
	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++)
		if (!r->requests.huge[s].set)
			r->requests.huge[s] = r->limits.huge[s];
}

static bool given(const struct quantity *q)
{
	return q->set && q->nano > 0;
}

static void add_request(struct quantity *sum, const struct quantity *q)
{
	sum->set |= q->set;
	sum->nano += q->nano;
}

/* What the pod as a whole asks for: by default what its containers do, else its limit. */
static void default_pod_requests(struct pod *p)
{
	struct pod_spec *s = &p->spec;
	struct resource_list sum = { 0 };

	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container *c = pod_container_at(p, i);
		if (pod_is_init(p, c) && !pod_is_sidecar(p, c))
			continue;
		add_request(&sum.cpu, &c->resources.requests.cpu);
		add_request(&sum.memory, &c->resources.requests.memory);
	}
	sum.memory.binary = true;
	if (!s->resources.requests.cpu.set)
		s->resources.requests.cpu = sum.cpu;
	if (!s->resources.requests.memory.set)
		s->resources.requests.memory = sum.memory;
	default_requests(&s->resources);
}

struct qos_sum {
	__int128 cpu, memory; /* limits less requests */
	bool any, all;
};

static void qos_add(struct qos_sum *q, const struct resources *r)
{
	q->any |= given(&r->limits.cpu) || given(&r->limits.memory) || given(&r->requests.cpu) || given(&r->requests.memory);
	q->all &= given(&r->limits.cpu) && given(&r->limits.memory);
	q->cpu += r->limits.cpu.nano - r->requests.cpu.nano;
	q->memory += r->limits.memory.nano - r->requests.memory.nano;
}

/* As the kubelet's ComputePodQOS: zero counts as not given; guaranteed means that every container has both limits, and that
 * requests and limits agree, as sums over the pod. Resources of the pod itself decide alone. */
static enum qos compute_qos(const struct pod *p, bool own)
{
	struct qos_sum q = { .all = true };

	if (own)
		qos_add(&q, &p->spec.resources);
	for (size_t i = 0; !own && i < pod_container_count(p); i++)
		qos_add(&q, &pod_container_at(p, i)->resources);
	if (!q.any)
		return QOS_BEST_EFFORT;
	return q.all && q.cpu == 0 && q.memory == 0 ? QOS_GUARANTEED : QOS_BURSTABLE;
}

static bool any_given(const struct resources *r)
{
	struct qos_sum q = { .all = true };

	qos_add(&q, r);
	return q.any;
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

/* Zeroes are defaults, too, written or not. */
static void default_probe(struct probe *p)
{
	if (!p->set)
		return;
	p->timeout = p->timeout ? p->timeout : 1;
	p->period = p->period ? p->period : 10;
	p->successes = p->successes ? p->successes : 1;
	p->failures = p->failures ? p->failures : 3;
}

static void default_probes(struct container *c)
{
	default_probe(&c->startup);
	default_probe(&c->readiness);
	default_probe(&c->liveness);
}

void pod_complete(struct pod *p)
{
	for (size_t i = 0; i < pod_container_count(p); i++) {
		struct container *c = (struct container *)pod_container_at(p, i);
		default_requests(&c->resources);
		default_probes(c);
	}
	for (size_t i = 0; i < p->spec.volumes.count; i++) {
		struct volume *v = &p->spec.volumes.items[i];
		v->empty_dir.set |= !v->host_path.set && !v->claim.set && !v->image.set && !volume_is_files(v);
	}
	bool own = any_given(&p->spec.resources);
	if (own)
		default_pod_requests(p);
	p->qos = compute_qos(p, own);
	compute_hash(p);
}
