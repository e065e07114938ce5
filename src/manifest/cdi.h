/* Devices by name, in the terms of the Container Device Interface: a vendor's file says what a container needs for the device
 * "vendor.com/class=name" (the annotation podd.dev/devices): nodes, mounts, variables, groups.
 *
 * Read by the schema engine, strictly: what is not understood is an error with its place, never passed over, since a device without it may
 * be half of one. Hooks, network devices and intelRdt are refused. Source: SPEC.md of the Container Device Interface, 0.3.0 to 1.1.0. */
#pragma once
#include <sys/types.h>
#include "manifest/manifest.h"

enum { CDI_NAMES_MAX = 32, CDI_EDITS_MAX = 128 /* of one kind, in all devices of a pod */ };

struct cdi_node {
	const char *path, *host_path; /* host_path NULL: the same */
	const char *type;             /* NULL: what it is on the host */
	const char *permissions;      /* "rwm" */
	struct id major, minor, file_mode, uid, gid;
	mode_t mode; /* what it is on the host, filled in by who looks there */
	dev_t number;
};

struct cdi_mount {
	const char *host_path, *container_path, *type;
	struct string_list options;
};

struct cdi_node_list {
	struct cdi_node *items;
	size_t count;
};

struct cdi_mount_list {
	struct cdi_mount *items;
	size_t count;
};

struct cdi_edits {
	struct string_list env; /* NAME=value */
	struct cdi_node_list nodes;
	struct cdi_mount_list mounts;
	struct int_list gids;
};

struct cdi_device {
	const char *name;
	struct cdi_edits edits;
};

struct cdi_device_list {
	struct cdi_device *items;
	size_t count;
};

struct cdi_spec {
	const char *version, *kind;
	struct cdi_device_list devices;
	struct cdi_edits edits; /* with each of its devices, once */
};

/* "vendor.com/class=name, ..." on the arena. NULL, or what is wrong with it. */
const char *cdi_names_parse(struct arena *a, const char *text, struct string_list *ret);

/* Fills *ret on `arena`. 0, or -EBADMSG: *ret_findings say why; they are the caller's to deinit either way. */
int cdi_read(struct arena *arena, const char *file, const char *text, size_t size, struct manifest *ret_findings,
             struct cdi_spec *ret);

const struct cdi_device *cdi_device(const struct cdi_spec *s, const char *name); /* by its whole name; NULL: there is none */
/* Adds what `more` has, which must outlive it. False: beyond CDI_EDITS_MAX. */
bool cdi_append(struct arena *a, struct cdi_edits *all, const struct cdi_edits *more);
