#include "manifest/portable.h"
#include "base/str.h"
#include "manifest/diags.h"
#include "manifest/node.h"

enum {
	KUBELET_REFUSES = 1,
	PODMAN_IGNORES = 2, /* without a word */
	PODMAN_REFUSES = 4,
};

/* By the type of the API. A static pod must stand alone: nothing that only an API server could resolve. */
static const struct {
	const char *type, *field;
	unsigned flags;
} fields[] = {
	{ "PodSpec", "serviceAccountName", KUBELET_REFUSES },
	{ "PodSpec", "serviceAccount", KUBELET_REFUSES },
	{ "PodSpec", "imagePullSecrets", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "PodSpec", "ephemeralContainers", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "PodSpec", "schedulingGates", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "PodSpec", "resourceClaims", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "PodSpec", "activeDeadlineSeconds", PODMAN_IGNORES },
	{ "PodSpec", "dnsPolicy", PODMAN_IGNORES },
	{ "PodSpec", "nodeSelector", PODMAN_IGNORES },
	{ "PodSpec", "subdomain", PODMAN_IGNORES },
	{ "PodSpec", "hostnameOverride", PODMAN_IGNORES },
	{ "PodSpec", "setHostnameAsFQDN", PODMAN_IGNORES },
	{ "PodSpec", "priorityClassName", PODMAN_IGNORES },
	{ "PodSpec", "priority", PODMAN_IGNORES },
	{ "PodSpec", "readinessGates", PODMAN_IGNORES },
	{ "PodSpec", "runtimeClassName", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "PodSpec", "os", PODMAN_IGNORES },
	{ "PodSpec", "resources", PODMAN_IGNORES },
	{ "PodSecurityContext", "runAsNonRoot", PODMAN_IGNORES },
	{ "PodSecurityContext", "fsGroup", PODMAN_IGNORES },
	{ "PodSecurityContext", "fsGroupChangePolicy", PODMAN_IGNORES },
	{ "PodSecurityContext", "supplementalGroupsPolicy", PODMAN_IGNORES },
	{ "PodSecurityContext", "seccompProfile", PODMAN_IGNORES },
	{ "PodSecurityContext", "appArmorProfile", PODMAN_IGNORES },
	{ "SecurityContext", "runAsNonRoot", PODMAN_IGNORES },
	{ "SecurityContext", "seccompProfile", PODMAN_IGNORES },
	{ "SecurityContext", "appArmorProfile", PODMAN_IGNORES },
	{ "Container", "restartPolicy", PODMAN_IGNORES },
	{ "Container", "restartPolicyRules", PODMAN_IGNORES },
	{ "Container", "resizePolicy", PODMAN_IGNORES },
	{ "Container", "readinessProbe", PODMAN_IGNORES },
	{ "Container", "volumeDevices", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "Container", "terminationMessagePath", PODMAN_IGNORES },
	{ "Container", "terminationMessagePolicy", PODMAN_IGNORES },
	{ "Container", "stdin", PODMAN_IGNORES },
	{ "Container", "stdinOnce", PODMAN_IGNORES },
	{ "Lifecycle", "postStart", PODMAN_IGNORES },
	{ "Lifecycle", "preStop", PODMAN_IGNORES },
	{ "ProbeHandler", "grpc", PODMAN_IGNORES },
	{ "HTTPGetAction", "httpHeaders", PODMAN_IGNORES },
	{ "ResourceRequirements", "claims", KUBELET_REFUSES | PODMAN_IGNORES },
	{ "EnvFromSource", "prefix", PODMAN_IGNORES },
	{ "EnvFromSource", "configMapRef", KUBELET_REFUSES },
	{ "EnvFromSource", "secretRef", KUBELET_REFUSES },
	{ "EnvVarSource", "configMapKeyRef", KUBELET_REFUSES },
	{ "EnvVarSource", "secretKeyRef", KUBELET_REFUSES },
	{ "EnvVarSource", "fileKeyRef", PODMAN_IGNORES },
	{ "VolumeMount", "recursiveReadOnly", PODMAN_IGNORES },
	{ "VolumeMount", "subPathExpr", PODMAN_IGNORES },
	{ "VolumeMount", "bindMountOptions", PODMAN_IGNORES },
	{ "EmptyDirVolumeSource", "sizeLimit", PODMAN_IGNORES },
	{ "EmptyDirVolumeSource", "mode", PODMAN_IGNORES },
	{ "VolumeSource", "configMap", KUBELET_REFUSES },
	{ "VolumeSource", "secret", KUBELET_REFUSES },
	{ "VolumeSource", "persistentVolumeClaim", KUBELET_REFUSES },
	{ "VolumeSource", "ephemeral", KUBELET_REFUSES | PODMAN_REFUSES },
	{ "VolumeSource", "downwardAPI", PODMAN_REFUSES },
	{ "VolumeSource", "projected", PODMAN_REFUSES },
	{ "VolumeSource", "nfs", PODMAN_REFUSES },
	{ "VolumeSource", "iscsi", PODMAN_REFUSES },
	{ "VolumeSource", "fc", PODMAN_REFUSES },
	{ "VolumeSource", "csi", PODMAN_REFUSES },
	{ "VolumeProjection", "serviceAccountToken", KUBELET_REFUSES },
	{ "VolumeProjection", "clusterTrustBundle", KUBELET_REFUSES },
	{ "VolumeProjection", "podCertificate", KUBELET_REFUSES },
};

/* Not by decoder_find(): what podd hasn't built may still run elsewhere, or not. */
static void notice(struct decoder *d, const struct node *where, const char *text, const char *hint)
{
	diags_add(d->m, SEVERITY_NOTICE, where, &d->path, hint, "not portable: %s", text);
}

static void notice_flags(struct decoder *d, const struct node *where, unsigned flags)
{
	if (flags & KUBELET_REFUSES)
		notice(d, where, "a kubelet refuses a static pod with it", NULL);
	if (flags & PODMAN_REFUSES)
		notice(d, where, "podman kube play refuses it", NULL);
	if (flags & PODMAN_IGNORES)
		notice(d, where, "podman kube play ignores it", NULL);
}

static void notice_annotations(struct decoder *d, const struct node *map)
{
	for (size_t i = 0; map->type == NODE_MAPPING && i < map->count; i++)
		if (str_after(map->pairs[i].key->text, "podd.dev/")) {
			path_map_key(&d->path, map->pairs[i].key->text);
			notice(d, map->pairs[i].key, "podd alone heeds it", NULL);
			path_pop(&d->path);
		}
}

void portable_field(struct decoder *d, const struct schema *s, const struct field *f, const struct node_pair *pair)
{
	const char *type = schema_type_of(s, f);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (streq(fields[i].field, f->name) && streq(fields[i].type, type))
			notice_flags(d, pair->key, fields[i].flags);
	if (s == &schema_container && streq(f->name, "image") && pair->value->type == NODE_SCALAR &&
	    str_after(pair->value->text, "rootfs:"))
		notice(d, pair->value, "rootfs: is podd's own; a kubelet and podman take images of a registry", NULL);
	if (s == &schema_metadata && streq(f->name, "annotations"))
		notice_annotations(d, pair->value);
}

void portable_document(struct decoder *d, const char *kind, size_t index)
{
	if (index == 1)
		notice(d, d->root, "a kubelet reads the first document of a file alone", "split it into several files");
	if (!streq(kind, "Pod"))
		notice(d, d->root, "a kubelet takes kind: Pod alone from a file", NULL);
}
