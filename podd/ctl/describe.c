/* podctl describe: what a person asks next about a pod or a job, from its object and its events. */
#include <stdarg.h>
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/pods.h"
#include "ctl/table.h"
#include "wire/url.h"

enum { LABEL_WIDTH = 18 };

/* "  Label:          value", with control characters escaped. */
static void line(unsigned depth, const char *label, const char *fmt, ...) _printf_(3, 4);
static void line(unsigned depth, const char *label, const char *fmt, ...)
{
	_cleanup_buf_ struct buf safe = BUF_NULL;
	char text[4200]; /* a termination message may be one line */
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_escape(&safe, text);
	int blanks = LABEL_WIDTH - (int)depth - (int)strlen(label);
	(void)printf("%*s%s%s%*s%s\n", (int)depth, "", label, *label ? ":" : " ", MAX(1, blanks), "", buf_str(&safe));
}

static void pairs(const char *label, const json_t *object)
{
	const char *name;
	json_t *value;
	bool first = true;

	json_object_foreach((json_t *)object, name, value) {
		line(0, first ? label : "", "%s=%s", name, json_string_value(value) ? json_string_value(value) : "");
		first = false;
	}
}

static void lines(unsigned depth, const char *label, const char *text)
{
	do {
		int n = (int)strcspn(text, "\n");
		line(depth, label, "%.*s", n, text);
		label = "";
		text += n + (text[n] == '\n');
	} while (*text);
}

/* A command or its arguments, one a line; the lines of a script stay lines. */
static void words(const char *label, const json_t *array)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		lines(4, i ? "" : label, json_string_value(item) ? json_string_value(item) : "");
	}
}

static void describe_state(const char *label, const json_t *state)
{
	const json_t *s;

	if ((s = json_at(state, "running"))) {
		line(4, label, "Running since %s", json_text(s, "startedAt"));
	} else if ((s = json_at(state, "waiting"))) {
		line(4, label, "Waiting: %s", json_text(s, "reason"));
	} else if ((s = json_at(state, "terminated"))) {
		json_int_t signal = json_integer_value(json_at(s, "signal"));
		line(4, label, "Terminated: %s", json_text(s, "reason"));
		if (signal)
			line(6, "Exit Code", "%lld (signal %lld)", (long long)json_integer_value(json_at(s, "exitCode")),
			     (long long)signal);
		else
			line(6, "Exit Code", "%lld", (long long)json_integer_value(json_at(s, "exitCode")));
		line(6, "Started", "%s", json_text(s, "startedAt"));
		line(6, "Finished", "%s", json_text(s, "finishedAt"));
	}
	if (s && *json_text(s, "message"))
		lines(6, "Message", json_text(s, "message"));
}

static void describe_mounts(const json_t *mounts)
{
	const json_t *m;
	size_t i;

	json_array_foreach(mounts, i, m) {
		line(4, i ? "" : "Mounts", "%s from %s%s", json_text(m, "mountPath"), json_text(m, "name"),
		     json_is_true(json_at(m, "readOnly")) ? " (ro)" : "");
	}
}

static void describe_ports(const json_t *ports)
{
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p) {
		json_int_t host = json_integer_value(json_at(p, "hostPort"));
		const char *protocol = *json_text(p, "protocol") ? json_text(p, "protocol") : "TCP";
		if (host)
			line(4, i ? "" : "Ports", "%lld/%s on host port %lld",
			     (long long)json_integer_value(json_at(p, "containerPort")), protocol, (long long)host);
		else
			line(4, i ? "" : "Ports", "%lld/%s", (long long)json_integer_value(json_at(p, "containerPort")), protocol);
	}
}

static void describe_resources(const char *label, const json_t *list)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)list, name, value) {
		buf_printf(&text, "%s%s=%s", text.len ? ", " : "", name, json_string_value(value) ? json_string_value(value) : "");
	}
	if (text.len)
		line(4, label, "%s", text.data);
}

/* Where a value comes from; the value itself is the container's business. */
static void describe_source(const char *label, const char *name, const json_t *from)
{
	const json_t *s;

	if ((s = json_at(from, "fieldRef")))
		line(4, label, "%s is %s", name, json_text(s, "fieldPath"));
	else if ((s = json_at(from, "resourceFieldRef")))
		line(4, label, "%s is %s", name, json_text(s, "resource"));
	else if ((s = json_at(from, "fileKeyRef")))
		line(4, label, "%s is %s in file %s of volume %s", name, json_text(s, "key"), json_text(s, "path"),
		     json_text(s, "volumeName"));
	else if ((s = json_at(from, "secretKeyRef")))
		line(4, label, "%s is key %s of Secret %s", name, json_text(s, "key"), json_text(s, "name"));
	else if ((s = json_at(from, "configMapKeyRef")))
		line(4, label, "%s is key %s of ConfigMap %s", name, json_text(s, "key"), json_text(s, "name"));
}

static void describe_environment(const json_t *from, const json_t *env)
{
	const json_t *e;
	size_t i;

	json_array_foreach(from, i, e) {
		const json_t *secret = json_at(e, "secretRef");
		line(4, i ? "" : "Environment From", "%s %s%s%s", secret ? "Secret" : "ConfigMap",
		     json_text(secret ? secret : json_at(e, "configMapRef"), "name"), *json_text(e, "prefix") ? ", prefix " : "",
		     json_text(e, "prefix"));
	}
	json_array_foreach(env, i, e) {
		const char *label = i ? "" : "Environment";
		if (json_at(e, "valueFrom"))
			describe_source(label, json_text(e, "name"), json_at(e, "valueFrom"));
		else
			line(4, label, "%s=%s", json_text(e, "name"), json_text(e, "value"));
	}
}

static const json_t *by_name(const json_t *array, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		if (streq(json_text(item, "name"), name))
			return item;
	}
	return NULL;
}

/* The last words of a start that failed: what a person would ask next. */
static void describe_log(const struct args *a, const struct pod_ref *p, const json_t *status)
{
	const json_t *ended = json_at(status, "state.terminated"), *before = json_at(status, "lastState.terminated");
	bool previous = !ended && json_at(status, "state.running");
	_cleanup_buf_ struct buf path = BUF_NULL;
	_cleanup_client_ struct client *c = NULL;

	ended = ended ? ended : before;
	if (!ended || !json_integer_value(json_at(ended, "exitCode")))
		return;
	pod_ref_path(p, &path);
	buf_puts(&path, "/log");
	url_add(&path, "container", json_text(status, "name"));
	url_add(&path, "tailLines", "5");
	if (previous)
		url_add(&path, "previous", "true");
	if (client_open(a, &(struct client_request){ .method = "GET", .path = path.data }, &c) == 0 && client_finish(c) == 0 &&
	    client_code(c) == 200 && client_body(c)->len)
		lines(4, "Last Lines", buf_str(client_body(c)));
}

static void describe_container(const struct args *a, const struct pod_ref *p, const json_t *spec, const json_t *status)
{
	_cleanup_buf_ struct buf name = BUF_NULL;

	str_escape(&name, json_text(spec, "name"));
	(void)printf("  %s:\n", buf_str(&name));
	line(4, "Image", "%s", json_text(spec, "image"));
	words("Command", json_at(spec, "command"));
	words("Args", json_at(spec, "args"));
	describe_ports(json_at(spec, "ports"));
	describe_state("State", json_at(status, "state"));
	describe_state("Last State", json_at(status, "lastState"));
	describe_log(a, p, status);
	line(4, "Ready", "%s", json_is_true(json_at(status, "ready")) ? "True" : "False");
	line(4, "Restart Count", "%lld", (long long)json_integer_value(json_at(status, "restartCount")));
	describe_resources("Limits", json_at(spec, "resources.limits"));
	describe_resources("Requests", json_at(spec, "resources.requests"));
	describe_environment(json_at(spec, "envFrom"), json_at(spec, "env"));
	describe_mounts(json_at(spec, "volumeMounts"));
}

static void describe_volume(const json_t *v)
{
	const json_t *source;
	const char *medium = json_text(v, "emptyDir.medium");

	if ((source = json_at(v, "hostPath")))
		line(2, json_text(v, "name"), "hostPath %s%s%s", json_text(source, "path"), *json_text(source, "type") ? ", " : "",
		     json_text(source, "type"));
	else if ((source = json_at(v, "configMap")))
		line(2, json_text(v, "name"), "ConfigMap %s", json_text(source, "name"));
	else if ((source = json_at(v, "secret")))
		line(2, json_text(v, "name"), "Secret %s", json_text(source, "secretName"));
	else if ((source = json_at(v, "persistentVolumeClaim")))
		line(2, json_text(v, "name"), "claim %s", json_text(source, "claimName"));
	else if (json_at(v, "downwardAPI"))
		line(2, json_text(v, "name"), "facts about the pod");
	else if (json_at(v, "projected"))
		line(2, json_text(v, "name"), "projected");
	else
		line(2, json_text(v, "name"), "emptyDir%s",
		     streq(medium, "Memory") ? " in memory"
		     : *medium               ? " in huge pages"
		                             : "");
}

static void describe_conditions(const json_t *conditions)
{
	const json_t *c;
	struct table t;
	size_t i;

	table_init(&t, 4);
	table_cell(&t, "  Type");
	table_cell(&t, "Status");
	table_cell(&t, "Since");
	table_cell(&t, "Reason");
	json_array_foreach(conditions, i, c) {
		_cleanup_buf_ struct buf type = BUF_NULL;
		buf_printf(&type, "  %s", json_text(c, "type"));
		table_cell(&t, type.data);
		table_cell(&t, json_text(c, "status"));
		table_cell(&t, json_text(c, "lastTransitionTime"));
		table_cell(&t, *json_text(c, "message") ? json_text(c, "message") : json_text(c, "reason"));
	}
	(void)puts("Conditions:");
	table_print(&t);
	table_deinit(&t);
}

static void describe_events(const struct args *a, const struct pod_ref *p, const char *uid)
{
	_cleanup_buf_ struct buf path = BUF_NULL, selector = BUF_NULL;
	json_t *answer, *row, *cell;
	struct table t;
	size_t i, j;

	buf_puts(&path, "/api/v1/namespaces/");
	url_escape(&path, p->namespace);
	buf_puts(&path, "/events");
	buf_printf(&selector, "involvedObject.uid=%s", uid);
	url_add(&path, "fieldSelector", selector.data);
	if (client_json(a, "GET", path.data, /* table= */ true, &answer) != CTL_YES)
		return;
	static const char *const columns[] = { "  Age", "Type", "Reason", "Message" };
	table_init(&t, ARRAY_SIZE(columns));
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		table_cell(&t, columns[i]);
	json_array_foreach(json_at(answer, "rows"), i, row) {
		_cleanup_buf_ struct buf age = BUF_NULL;
		buf_printf(&age, "  %s", json_string_value(json_array_get(json_at(row, "cells"), 0)));
		table_cell(&t, age.data);
		json_array_foreach(json_at(row, "cells"), j, cell) {
			if (j == 1 || j == 2 || j == 4) /* not which object */
				table_cell(&t, json_string_value(cell) ? json_string_value(cell) : "");
		}
	}
	(void)puts(i ? "Events:" : "Events:           <none>");
	if (i)
		table_print(&t);
	table_deinit(&t);
	json_decref(answer);
}

static void describe_head(const json_t *pod)
{
	line(0, "Name", "%s", json_text(pod, "metadata.name"));
	line(0, "Namespace", "%s", json_text(pod, "metadata.namespace"));
	line(0, "UID", "%s", json_text(pod, "metadata.uid"));
	pairs("Labels", json_at(pod, "metadata.labels"));
	pairs("Annotations", json_at(pod, "metadata.annotations"));
	line(0, "Accepted", "%s", json_text(pod, "metadata.creationTimestamp"));
	if (*json_text(pod, "metadata.deletionTimestamp"))
		line(0, "Terminating since", "%s", json_text(pod, "metadata.deletionTimestamp"));
	line(0, "Status", "%s", json_text(pod, "status.phase"));
	if (*json_text(pod, "status.reason"))
		line(0, "Reason", "%s", json_text(pod, "status.reason"));
	if (*json_text(pod, "status.message"))
		line(0, "Message", "%s", json_text(pod, "status.message"));
	line(0, "Priority", "%lld", (long long)json_integer_value(json_at(pod, "spec.priority")));
	line(0, "IP", "%s", json_text(pod, "status.podIP"));
	line(0, "QoS Class", "%s", json_text(pod, "status.qosClass"));
	line(0, "Restart Policy", "%s", json_text(pod, "spec.restartPolicy"));
	line(0, "Grace Period", "%lld s", (long long)json_integer_value(json_at(pod, "spec.terminationGracePeriodSeconds")));
}

static void describe(const struct args *a, const struct pod_ref *p, const json_t *pod)
{
	const json_t *item;
	size_t i;

	describe_head(pod);
	json_array_foreach(json_at(pod, "spec.initContainers"), i, item) {
		if (i == 0)
			(void)puts("Init Containers:");
		describe_container(a, p, item, by_name(json_at(pod, "status.initContainerStatuses"), json_text(item, "name")));
	}
	(void)puts("Containers:");
	json_array_foreach(json_at(pod, "spec.containers"), i, item) {
		describe_container(a, p, item, by_name(json_at(pod, "status.containerStatuses"), json_text(item, "name")));
	}
	json_array_foreach(json_at(pod, "spec.ephemeralContainers"), i, item) {
		if (i == 0)
			(void)puts("Ephemeral Containers:");
		describe_container(a, p, item, by_name(json_at(pod, "status.ephemeralContainerStatuses"), json_text(item, "name")));
	}
	describe_conditions(json_at(pod, "status.conditions"));
	json_array_foreach(json_at(pod, "spec.volumes"), i, item) {
		if (i == 0)
			(void)puts("Volumes:");
		describe_volume(item);
	}
	describe_events(a, p, json_text(pod, "metadata.uid"));
}

/* Those that are left of it, with how far they are. */
static void describe_pods_of_job(const struct args *a, const struct pod_ref *p)
{
	_cleanup_buf_ struct buf path = BUF_NULL, selector = BUF_NULL;
	json_t *list, *pod;
	size_t i;

	buf_puts(&path, "/api/v1/namespaces/");
	url_escape(&path, p->namespace);
	buf_puts(&path, "/pods");
	buf_printf(&selector, "job-name=%s", p->name);
	url_add(&path, "labelSelector", selector.data);
	if (client_json(a, "GET", path.data, false, &list) != CTL_YES)
		return;
	json_array_foreach(json_at(list, "items"), i, pod) {
		line(0, i ? "" : "Pods", "%s %s", json_text(pod, "metadata.name"), json_text(pod, "status.phase"));
	}
	json_decref(list);
}

static long long count(const json_t *job, const char *path)
{
	return (long long)json_integer_value(json_at(job, path));
}

static void describe_job(const struct args *a, const struct pod_ref *p, const json_t *job)
{
	const json_t *owner = json_array_get(json_at(job, "metadata.ownerReferences"), 0);

	line(0, "Name", "%s", json_text(job, "metadata.name"));
	line(0, "Namespace", "%s", json_text(job, "metadata.namespace"));
	line(0, "UID", "%s", json_text(job, "metadata.uid"));
	pairs("Labels", json_at(job, "metadata.labels"));
	pairs("Annotations", json_at(job, "metadata.annotations"));
	if (owner)
		line(0, "Made by", "%s/%s", json_text(owner, "kind"), json_text(owner, "name"));
	line(0, "Accepted", "%s", json_text(job, "metadata.creationTimestamp"));
	if (*json_text(job, "status.startTime"))
		line(0, "Started", "%s", json_text(job, "status.startTime"));
	if (*json_text(job, "status.completionTime"))
		line(0, "Completed", "%s", json_text(job, "status.completionTime"));
	if (json_at(job, "spec.completions"))
		line(0, "Completions", "%lld", count(job, "spec.completions"));
	line(0, "Parallelism", "%lld", count(job, "spec.parallelism"));
	line(0, "Back-off Limit", "%lld", count(job, "spec.backoffLimit"));
	line(0, "Ended Pods", "%lld succeeded, %lld failed", count(job, "status.succeeded"), count(job, "status.failed"));
	describe_pods_of_job(a, p);
	describe_conditions(json_at(job, "status.conditions"));
	describe_events(a, p, json_text(job, "metadata.uid"));
}

int verb_describe(const struct args *a)
{
	_cleanup_pod_refs_ struct pod_refs pods;
	int worst = pod_refs_find(a, "describe", true, &pods);

	for (size_t i = 0; i < pods.count; i++) {
		_cleanup_buf_ struct buf path = BUF_NULL;
		json_t *pod;
		pod_ref_path(&pods.items[i], &path);
		int code = client_json(a, "GET", path.data, false, &pod);
		if (code != CTL_YES) {
			worst = MAX(worst, code);
			continue;
		}
		if (i)
			(void)putchar('\n');
		if (pods.items[i].job)
			describe_job(a, &pods.items[i], pod);
		else
			describe(a, &pods.items[i], pod);
		json_decref(pod);
	}
	return worst;
}
