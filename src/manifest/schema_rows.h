/* How the rows of the table are written down. Each file schema_*.c holds the types of one region of the API. */
#pragma once
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/rules.h"
#include "manifest/schema.h"
#include "manifest/words.h"

#define NOWHERE SIZE_MAX

/* A field that is built: where it is stored and what an edit costs; or one that is understood but has no place of its own. */
#define BUILT(name_, type_, verdict_, struct_, member_, cost_, doc_, ...)                                       \
	{                                                                                                       \
		.name = (name_), .type = FIELD_##type_, .verdict = VERDICT_##verdict_, .built = true,           \
		.offset = offsetof(struct struct_, member_), .edit = EDIT_##cost_, .doc = (doc_), ##__VA_ARGS__ \
	}
#define READ_ELSEWHERE(name_, type_, verdict_, doc_, ...)                                                                \
	{                                                                                                                \
		.name = (name_), .type = FIELD_##type_, .verdict = VERDICT_##verdict_, .built = true, .offset = NOWHERE, \
		.doc = (doc_), ##__VA_ARGS__                                                                             \
	}
/* One that is not, with what an edit will cost. */
#define PLANNED(name_, type_, verdict_, cost_, doc_, ...)                                                                   \
	{                                                                                                                   \
		.name = (name_), .type = FIELD_##type_, .verdict = VERDICT_##verdict_, .edit = EDIT_##cost_, .doc = (doc_), \
		##__VA_ARGS__                                                                                               \
	}
#define NEVER(name_, type_, doc_, ...) PLANNED(name_, type_, REJECT, NONE, doc_, ##__VA_ARGS__)
#define NO_OP(name_, type_, doc_, ...)                                                                                        \
	{                                                                                                                     \
		.name = (name_), .type = FIELD_##type_, .verdict = VERDICT_NO_OP, .built = true, .doc = (doc_), ##__VA_ARGS__ \
	}

#define SCHEMA(name_, fields_, size_, ...)                                                                         \
	{                                                                                                          \
		.name = (name_), .fields = (fields_), .count = ARRAY_SIZE(fields_), .size = (size_), ##__VA_ARGS__ \
	}

/* A type that Kubernetes embeds, by which fields.tsv knows the field. */
#define OF(type_) .of = (type_)

#define HINT_MOUNT "mount it on the host and use hostPath"
#define HINT_HOST_FILES "put the files into a directory and use hostPath"
#define HINT_LINUX "podd runs Linux containers only"
#define HINT_LATER "leave it out"
#define HINT_DEVICE "use a hostPath volume with the device node"

/* Parts that several regions use. */
extern const struct schema schema_affinity, schema_app_armor, schema_ephemeral_container, schema_ephemeral_spec,
	schema_eviction_responder, schema_field_selector, schema_label_selector, schema_lifecycle, schema_object_reference,
	schema_pod_template, schema_probe, schema_resource_list, schema_resource_selector, schema_resources, schema_seccomp,
	schema_se_linux, schema_toleration, schema_topology_spread, schema_windows, schema_claim_template;
extern const struct schema schema_aws_disk, schema_azure_disk, schema_azure_file, schema_ceph_fs, schema_cinder, schema_csi,
	schema_ephemeral, schema_fc, schema_flex_volume, schema_flocker, schema_gce_disk, schema_git_repo, schema_glusterfs,
	schema_iscsi, schema_photon_disk, schema_portworx, schema_quobyte, schema_rbd, schema_scale_io, schema_storageos,
	schema_vsphere_disk;
