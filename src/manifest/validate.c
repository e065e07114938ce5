#include "manifest/validate.h"
#include <stdio.h>
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/huge.h"

static const struct node *at(const struct decoder *d, const void *field)
{
	return decoder_place(d, field);
}

/* A finding about `member` of the object at d->path. */
static void _printf_(6, 7) find_in(struct decoder *d, enum severity severity, const char *member, const struct node *where,
                                   const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	path_key(&d->path, member);
	decoder_find(d, severity, where, hint, "%s", text);
	path_pop(&d->path);
}

static void enter(struct decoder *d, const char *list, size_t index)
{
	path_key(&d->path, list);
	path_index(&d->path, index);
}

static void leave(struct decoder *d)
{
	path_pop(&d->path);
	path_pop(&d->path);
}

static bool too_many(struct decoder *d, const char *list, const void *where, size_t count, size_t max)
{
	if (count <= max)
		return false;
	find_in(d, SEVERITY_REFUSED, list, at(d, where), NULL, "Too many: %zu: podd takes at most %zu items", count, max);
	return true;
}

static void find_duplicate(struct decoder *d, const char *member, const void *where, const char *value)
{
	find_in(d, SEVERITY_ERROR, member, at(d, where), NULL, "Duplicate value: \"%.80s\"", value);
}

static bool has(const struct string_list *l, const char *word)
{
	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i], word))
			return true;
	return false;
}

static void validate_security(struct decoder *d, const struct security_context *s)
{
	static const char hint[] = "remove allowPrivilegeEscalation: false, or the privilege";

	if (s->allow_privilege_escalation != TRISTATE_FALSE)
		return;
	path_key(&d->path, "securityContext");
	const struct node *where = at(d, &s->allow_privilege_escalation);
	if (s->privileged == TRISTATE_TRUE)
		find_in(d, SEVERITY_ERROR, "allowPrivilegeEscalation", where, hint,
		        "Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	if (has(&s->capabilities.add, "SYS_ADMIN"))
		find_in(d, SEVERITY_ERROR, "allowPrivilegeEscalation", where, hint,
		        "Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `capabilities.add` SYS_ADMIN");
	path_pop(&d->path);
}

static void validate_request(struct decoder *d, const char *name, const struct quantity *request, const struct quantity *limit)
{
	_cleanup_buf_ struct buf r = BUF_NULL, l = BUF_NULL;

	if (!request->set || !limit->set || request->nano <= limit->nano)
		return;
	quantity_print(request, &r);
	quantity_print(limit, &l);
	path_key(&d->path, "requests");
	find_in(d, SEVERITY_ERROR, name, at(d, request), NULL,
	        "Invalid value: \"%s\": must be less than or equal to %s limit of %s", buf_str(&r), name, buf_str(&l));
	path_pop(&d->path);
}

/* They can't be overcommitted: what is asked for is what may be used. */
static void validate_huge_size(struct decoder *d, const struct resources *r, enum huge_size s)
{
	const struct quantity *limit = &r->limits.huge[s], *request = &r->requests.huge[s];
	_cleanup_buf_ struct buf text = BUF_NULL, is = BUF_NULL;
	char name[32];

	(void)snprintf(name, sizeof(name), "hugepages-%s", huge_size_name(s));
	if (!request->set || (limit->set && limit->nano == request->nano))
		return;
	path_key(&d->path, limit->set ? "requests" : "limits");
	quantity_print(request, &is);
	if (limit->set)
		quantity_print(limit, &text);
	if (limit->set)
		find_in(d, SEVERITY_ERROR, name, at(d, request), NULL, "Invalid value: \"%s\": must be equal to %s limit of %s",
		        buf_str(&is), name, buf_str(&text));
	else
		find_in(d, SEVERITY_ERROR, name, at(d, request), NULL,
		        "Required value: Limit must be set for non overcommitable resources");
	path_pop(&d->path);
}

static void validate_huge(struct decoder *d, const struct resources *r)
{
	const struct resource_list *l = &r->limits, *q = &r->requests;
	bool others = l->cpu.set || l->memory.set || q->cpu.set || q->memory.set;

	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++) {
		validate_huge_size(d, r, s);
		if (!others && l->huge[s].set)
			decoder_find(d, SEVERITY_ERROR, at(d, &l->huge[s]), "give it a limit of memory",
			             "Forbidden: HugePages require cpu or memory");
	}
}

static void validate_resources(struct decoder *d, const struct resources *r)
{
	path_key(&d->path, "resources");
	validate_request(d, "cpu", &r->requests.cpu, &r->limits.cpu);
	validate_request(d, "memory", &r->requests.memory, &r->limits.memory);
	validate_request(d, "ephemeral-storage", &r->requests.disk, &r->limits.disk);
	validate_huge(d, r);
	path_pop(&d->path);
}

static void validate_mounts(struct decoder *d, const struct pod *p, const struct container *c)
{
	const char *clean[POD_MOUNTS_MAX];

	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct volume_mount *m = &c->mounts.items[i];
		clean[i] = m->mount_path ? path_clean(d->m->arena, m->mount_path) : NULL;
		if (!m->name || !clean[i])
			continue;
		enter(d, "volumeMounts", i);
		if (!pod_volume(p, m->name))
			find_in(d, SEVERITY_ERROR, "name", at(d, &m->name), "define it under spec.volumes", "Not found: \"%.80s\"",
			        m->name);
		for (size_t j = 0; j < i; j++)
			if (clean[j] && streq(clean[i], clean[j])) {
				find_in(d, SEVERITY_ERROR, "mountPath", at(d, &m->mount_path), NULL,
				        "Invalid value: \"%.80s\": must be unique", m->mount_path);
				break;
			}
		leave(d);
	}
}

static void validate_port(struct decoder *d, const struct pod *p, const struct container_port *port)
{
	if (port->protocol == PROTOCOL_SCTP && port->host_port)
		find_in(d, SEVERITY_REFUSED, "protocol", at(d, &port->protocol), "leave out hostPort",
		        "a hostPort for SCTP is not yet supported by this podd");
	if (p->spec.host_network && port->host_port && port->host_port != port->container_port)
		find_in(d, SEVERITY_ERROR, "hostPort", at(d, &port->host_port), "leave out hostPort",
		        "Invalid value: %d: must match `containerPort` when `hostNetwork` is true", port->host_port);
}

/* Addresses overlap when they are equal or one of them means all. */
static bool same_address(const struct container_port *a, const struct container_port *b)
{
	bool all = !a->host_ip || !b->host_ip || streq(a->host_ip, "0.0.0.0") || streq(b->host_ip, "0.0.0.0");

	return all || streq(a->host_ip, b->host_ip);
}

/* Against all ports before it, of this container and of members before. Init containers run one by one; that two sidecars or a
 * member may want the same, Kubernetes lets pass. */
static void validate_port_conflicts(struct decoder *d, const struct pod *p, const struct container_list *l, size_t container,
                                    size_t index)
{
	const struct container_port *port = &l->items[container].ports.items[index];

	for (size_t c = l == &p->spec.init_containers ? container : 0; c <= container; c++) {
		const struct container_port_list *ports = &l->items[c].ports;
		for (size_t i = 0; i < (c == container ? index : ports->count); i++) {
			const struct container_port *other = &ports->items[i];
			if (port->name && other->name && c == container && streq(port->name, other->name)) {
				find_duplicate(d, "name", &port->name, port->name);
				return;
			}
			if (port->host_port && port->host_port == other->host_port && port->protocol == other->protocol &&
			    same_address(port, other)) {
				find_in(d, SEVERITY_ERROR, "hostPort", at(d, &port->host_port), NULL, "Duplicate value: \"%s/%d\"",
				        protocol_name(port->protocol), port->host_port);
				return;
			}
		}
	}
}

static void validate_ports(struct decoder *d, const struct pod *p, const struct container_list *l, size_t container)
{
	const struct container *c = &l->items[container];

	for (size_t i = 0; i < c->ports.count; i++) {
		enter(d, "ports", i);
		validate_port(d, p, &c->ports.items[i]);
		validate_port_conflicts(d, p, l, container, i);
		leave(d);
	}
}

static void validate_container(struct decoder *d, const struct pod *p, const struct container_list *l, size_t index)
{
	const struct container *c = &l->items[index];

	for (size_t i = 0; i < index; i++)
		if (c->name && streq0(c->name, l->items[i].name)) {
			find_duplicate(d, "name", &c->name, c->name);
			break;
		}
	(void)too_many(d, "command", &c->command, c->command.count, POD_LIST_MAX);
	(void)too_many(d, "args", &c->args, c->args.count, POD_LIST_MAX);
	validate_ports(d, p, l, index);
	validate_resources(d, &c->resources);
	validate_mounts(d, p, c);
	validate_security(d, &c->security);
}

static void validate_containers(struct decoder *d, const struct pod *p, const char *list, const struct container_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		enter(d, list, i);
		validate_container(d, p, l, i);
		leave(d);
	}
}

/* The kubelet finds it when it mounts the volume; here it is told at once. */
static void validate_medium(struct decoder *d, const struct pod *p, const struct empty_dir *e)
{
	bool many;

	if (e->medium == EMPTY_DIR_DISK || e->medium == EMPTY_DIR_MEMORY)
		return;
	path_key(&d->path, "emptyDir");
	if (e->size_limit.set)
		find_in(d, SEVERITY_REFUSED, "sizeLimit", at(d, &e->size_limit), "the containers' limits of huge pages hold",
		        "a size limit of huge pages is not supported by podd");
	if (pod_huge_medium(p, e->medium, &many) == HUGE_SIZE_MAX)
		find_in(d, SEVERITY_REFUSED, "medium", at(d, &e->medium),
		        many ? "as HugePages-2Mi" : "give a container a limit of them",
		        many ? "HugePages can't be used if the pod asks for huge pages of several sizes"
		             : "the pod does not ask for such huge pages");
	path_pop(&d->path);
}

static void validate_volumes(struct decoder *d, const struct pod *p)
{
	const struct volume_list *l = &p->spec.volumes;

	for (size_t i = 0; i < l->count; i++) {
		const struct volume *v = &l->items[i];
		enter(d, "volumes", i);
		for (size_t j = 0; j < i; j++)
			if (v->name && streq0(v->name, l->items[j].name)) {
				find_duplicate(d, "name", &v->name, v->name);
				break;
			}
		validate_medium(d, p, &v->empty_dir);
		leave(d);
	}
}

/* The kubelet finds it when it starts the pod; here it is told at once. */
static void validate_names(struct decoder *d, const struct pod *p)
{
	_cleanup_buf_ struct buf name = BUF_NULL;

	if (!p->spec.hostname_is_full || !p->metadata.name)
		return;
	pod_full_name(p, &name);
	if (name.len >= POD_HOSTNAME_SIZE)
		find_in(d, SEVERITY_ERROR, "setHostnameAsFQDN", at(d, &p->spec.hostname_is_full), "use shorter names",
		        "Invalid value: true: the full name \"%s\" is too long (%d characters is the max, %zu characters "
		        "requested)",
		        name.data, POD_HOSTNAME_SIZE - 1, name.len);
}

void validate_spec(struct decoder *d, const struct pod *p)
{
	const struct pod_spec *s = &p->spec;

	path_key(&d->path, "spec");
	validate_volumes(d, p);
	/* The limit is on all of them together. */
	if (!too_many(d, "containers", &s->containers, pod_container_count(p), POD_CONTAINERS_MAX)) {
		validate_containers(d, p, "initContainers", &s->init_containers);
		validate_containers(d, p, "containers", &s->containers);
	}
	path_key(&d->path, "resources");
	validate_huge(d, &s->resources);
	path_pop(&d->path);
	validate_names(d, p);
	if (s->host_pid && s->share_process_namespace)
		find_in(d, SEVERITY_ERROR, "shareProcessNamespace", at(d, &s->share_process_namespace), "remove one of the two",
		        "Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled");
	path_pop(&d->path);
}

/* Kubernetes' rules of ephemeral containers; that their names are unique among themselves is said by validate_containers(). */
void validate_ephemeral(struct decoder *d, const struct pod *p)
{
	const struct container_list *l = &p->spec.ephemeral;

	if (too_many(d, "ephemeralContainers", l, pod_container_count(p), POD_CONTAINERS_MAX))
		return;
	validate_containers(d, p, "ephemeralContainers", l);
	for (size_t i = 0; i < l->count; i++) {
		const struct container *c = &l->items[i], *target = c->target && *c->target ? pod_container(p, c->target) : NULL;
		enter(d, "ephemeralContainers", i);
		if (c->name && !pod_is_ephemeral(p, pod_container(p, c->name)))
			find_duplicate(d, "name", &c->name, c->name);
		if (c->target && *c->target && (!target || pod_is_init(p, target) || pod_is_ephemeral(p, target)))
			find_in(d, SEVERITY_ERROR, "targetContainerName", at(d, &c->target), NULL, "Not found: \"%.80s\"",
			        c->target);
		else if (target && p->spec.runtime_class && *p->spec.runtime_class)
			find_in(d, SEVERITY_REFUSED, "targetContainerName", at(d, &c->target), "leave it out",
			        "not yet supported by this podd in a pod with a runtimeClassName");
		for (size_t j = 0; j < c->mounts.count; j++)
			if (c->mounts.items[j].sub_path || c->mounts.items[j].sub_path_expr)
				find_in(d, SEVERITY_ERROR, "volumeMounts", at(d, &c->mounts), "mount the whole volume",
				        "Forbidden: no subPath in an ephemeral container");
		leave(d);
	}
}
