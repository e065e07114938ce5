/* Volumes and their sources on this machine. */
#include "manifest/schema_rows.h"

static const struct field host_path_fields[] = {
	BUILT("path", STRING, MUST, host_path, path, RESTART, "Path on the host.", .required = true, .check = check_host_path),
	BUILT("type", ENUM, MUST, host_path, type, RESTART,
	      "What it must be: Directory, File, Socket, CharDevice, BlockDevice; or is made: DirectoryOrCreate, FileOrCreate.",
	      .values = &host_path_type_words, .fallback = ""),
};
static const struct schema schema_host_path =
	SCHEMA("HostPathVolumeSource", host_path_fields, sizeof(struct host_path), .starts_with_set = true);

static const struct field empty_dir_fields[] = {
	BUILT("medium", ENUM, MUST, empty_dir, medium, RESTART,
	      "\"\": the host's disk; Memory: a tmpfs, shared by the pod's containers; HugePages, HugePages-2Mi, HugePages-1Gi: a "
	      "hugetlbfs.",
	      .values = &empty_dir_medium_words, .fallback = ""),
	BUILT("sizeLimit", QUANTITY, MUST, empty_dir, size_limit, RESTART,
	      "Size of the tmpfs with medium: Memory; on disk the pod is evicted when it holds more.", .check = check_size_limit),
	BUILT("mode", MODE, SHOULD, empty_dir, mode, RESTART, "Mode of the directory.", .check = check_directory_mode),
};
static const struct schema schema_empty_dir =
	SCHEMA("EmptyDirVolumeSource", empty_dir_fields, sizeof(struct empty_dir), .starts_with_set = true);

/* --- files made of other things ------------------------------------------------------------------------------------------------ */

#define FILE_USER(struct_) BUILT("user", ID, SHOULD, struct_, user, RESTART, "User the file belongs to.", .check = check_id)
#define FILE_MODE(verdict_, struct_) \
	BUILT("mode", MODE, verdict_, struct_, mode, RESTART, "Mode of the file.", .check = check_file_mode)
#define NO_USER PLANNED("user", INT64, SHOULD, RESTART, "User the file belongs to.", .check = check_id)
#define DEFAULT_MODE(verdict_, struct_)                                                                                          \
	BUILT("defaultMode", MODE, verdict_, struct_, default_mode, RESTART, "Mode of files that name none.", .fallback = "420", \
	      .check = check_file_mode)
#define DEFAULT_USER(struct_) \
	BUILT("defaultUser", ID, SHOULD, struct_, default_user, RESTART, "User of files that name none.", .check = check_id)
#define OPTIONAL(verdict_) BUILT("optional", BOOL, verdict_, config_files, optional, RESTART, "Whether it may be missing.")
#define ITEMS(verdict_)                                                                                             \
	BUILT("items", OBJECTS, verdict_, config_files, items, RESTART, "Which keys become files; all by default.", \
	      .object = &schema_key_to_path)
#define REFERENCE_NAME(doc_)                                                                                           \
	BUILT("name", STRING, SHOULD, config_files, name, RESTART, doc_, OF("LocalObjectReference"), .required = true, \
	      .check = check_subdomain_name)

static const struct field key_to_path_fields[] = {
	BUILT("key", STRING, MUST, key_path, key, RESTART, "Key of the ConfigMap or Secret.", .required = true,
	      .check = check_config_key),
	BUILT("path", STRING, MUST, key_path, path, RESTART, "Path of the file, below the mount.", .required = true,
	      .check = check_file_path),
	FILE_MODE(MUST, key_path),
	FILE_USER(key_path),
};
static const struct schema schema_key_to_path = SCHEMA("KeyToPath", key_to_path_fields, sizeof(struct key_path));

static const struct field secret_fields[] = {
	BUILT("secretName", STRING, MUST, config_files, name, RESTART, "Name of the Secret.", .required = true,
	      .check = check_subdomain_name),
	ITEMS(MUST),
	DEFAULT_MODE(MUST, config_files),
	OPTIONAL(MUST),
	DEFAULT_USER(config_files),
};
static const struct schema schema_secret =
	SCHEMA("SecretVolumeSource", secret_fields, sizeof(struct config_files), .starts_with_set = true);

static const struct field config_map_fields[] = {
	REFERENCE_NAME("Name of the ConfigMap."),
	ITEMS(MUST),
	DEFAULT_MODE(MUST, config_files),
	OPTIONAL(MUST),
	DEFAULT_USER(config_files),
};
static const struct schema schema_config_map =
	SCHEMA("ConfigMapVolumeSource", config_map_fields, sizeof(struct config_files), .starts_with_set = true);

static const struct field downward_file_fields[] = {
	BUILT("path", STRING, SHOULD, downward_file, path, RESTART, "Path of the file, below the mount.", .required = true,
	      .check = check_file_path),
	BUILT("fieldRef", OBJECT, SHOULD, downward_file, field, RESTART, "A field of the pod.", .object = &schema_field_selector,
	      .rule = rule_field_file),
	BUILT("resourceFieldRef", OBJECT, SHOULD, downward_file, resource, RESTART, "A limit or request of a container.",
	      .object = &schema_resource_selector, .rule = rule_resource_file),
	FILE_MODE(SHOULD, downward_file),
	FILE_USER(downward_file),
};
static const struct schema schema_downward_file =
	SCHEMA("DownwardAPIVolumeFile", downward_file_fields, sizeof(struct downward_file), .rule = rule_downward_file);

static const struct field downward_fields[] = {
	BUILT("items", OBJECTS, SHOULD, downward_files, items, RESTART, "The files.", .object = &schema_downward_file),
	DEFAULT_MODE(SHOULD, downward_files),
	DEFAULT_USER(downward_files),
};
static const struct schema schema_downward =
	SCHEMA("DownwardAPIVolumeSource", downward_fields, sizeof(struct downward_files), .starts_with_set = true);

static const struct field secret_projection_fields[] = { REFERENCE_NAME("Name of the Secret."), ITEMS(SHOULD), OPTIONAL(SHOULD) };
static const struct schema schema_secret_projection =
	SCHEMA("SecretProjection", secret_projection_fields, sizeof(struct config_files), .starts_with_set = true);

static const struct field config_map_projection_fields[] = { REFERENCE_NAME("Name of the ConfigMap."), ITEMS(SHOULD),
	                                                     OPTIONAL(SHOULD) };
static const struct schema schema_config_map_projection =
	SCHEMA("ConfigMapProjection", config_map_projection_fields, sizeof(struct config_files), .starts_with_set = true);

static const struct field downward_projection_fields[] = {
	BUILT("items", OBJECTS, SHOULD, downward_files, items, RESTART, "The files.", .object = &schema_downward_file),
};
static const struct schema schema_downward_projection =
	SCHEMA("DownwardAPIProjection", downward_projection_fields, sizeof(struct downward_files), .starts_with_set = true);

static const struct field token_fields[] = {
	NEVER("audience", STRING, "Who the token is for."),
	NEVER("expirationSeconds", INT64, "How long it is valid.", .check = check_token_lifetime),
	NEVER("path", STRING, "Path of the file.", .required = true, .check = check_file_path),
	NO_USER,
};
static const struct schema schema_token = SCHEMA("ServiceAccountTokenProjection", token_fields, 0);

static const struct field trust_bundle_fields[] = {
	NEVER("name", STRING, "Name of the bundle."),
	NEVER("signerName", STRING, "Signer whose bundles are taken."),
	NEVER("labelSelector", LABEL_SELECTOR, "Labels of the bundles.", .object = &schema_label_selector),
	NEVER("optional", BOOL, "Whether it may be missing."),
	NEVER("path", STRING, "Path of the file.", .required = true, .check = check_file_path),
	NO_USER,
};
static const struct schema schema_trust_bundle =
	SCHEMA("ClusterTrustBundleProjection", trust_bundle_fields, 0, .rule = rule_trust_bundle);

static const struct field certificate_fields[] = {
	NEVER("signerName", STRING, "Who signs it.", .required = true),
	NEVER("keyType", STRING, "Kind of key.", .required = true,
	      .choices = "RSA3072|RSA4096|ECDSAP256|ECDSAP384|ECDSAP521|ED25519"),
	NEVER("maxExpirationSeconds", INT32, "How long it is valid at most.", .check = check_certificate_lifetime),
	NEVER("credentialBundlePath", STRING, "Path of a file with key and certificates.", .check = check_file_path),
	NEVER("keyPath", STRING, "Path of the key.", .check = check_file_path),
	NEVER("certificateChainPath", STRING, "Path of the certificates.", .check = check_file_path),
	NEVER("userAnnotations", MAP, "Notes for the signer."),
	NO_USER,
};
static const struct schema schema_certificate = SCHEMA("PodCertificateProjection", certificate_fields, 0);

static const struct field projection_fields[] = {
	BUILT("secret", OBJECT, SHOULD, projection, secret, RESTART, "Files from a Secret.", .object = &schema_secret_projection),
	BUILT("downwardAPI", OBJECT, SHOULD, projection, downward, RESTART, "Facts about the pod.",
	      .object = &schema_downward_projection),
	BUILT("configMap", OBJECT, SHOULD, projection, config_map, RESTART, "Files from a ConfigMap.",
	      .object = &schema_config_map_projection),
	NEVER("serviceAccountToken", OBJECT, "A token for the API.", .object = &schema_token, .hint = HINT_HOST_FILES),
	NEVER("clusterTrustBundle", OBJECT, "Certificates of the cluster.", .object = &schema_trust_bundle,
	      .hint = HINT_HOST_FILES),
	NEVER("podCertificate", OBJECT, "A certificate for the pod.", .object = &schema_certificate, .hint = HINT_HOST_FILES),
};
static const struct schema schema_projection =
	SCHEMA("VolumeProjection", projection_fields, sizeof(struct projection), .rule = rule_one_projection);

static const struct field projected_fields[] = {
	BUILT("sources", OBJECTS, SHOULD, projected, sources, RESTART, "What is put together.", .object = &schema_projection,
	      .rule = rule_projected_paths),
	DEFAULT_MODE(SHOULD, projected),
	DEFAULT_USER(projected),
};
static const struct schema schema_projected =
	SCHEMA("ProjectedVolumeSource", projected_fields, sizeof(struct projected), .starts_with_set = true);

static const struct field image_fields[] = {
	BUILT("reference", STRING, SHOULD, image_volume, reference, RESTART, "The image, as in image of a container.",
	      .check = check_image),
	BUILT("pullPolicy", ENUM, SHOULD, image_volume, pull_policy, UPDATE,
	      "When an archive is imported: if it is not in the store or has changed, for each sandbox, or never.",
	      .values = &pull_policy_words, .fallback = "IfNotPresent"),
};
static const struct schema schema_image =
	SCHEMA("ImageVolumeSource", image_fields, sizeof(struct image_volume), .starts_with_set = true, .rule = rule_image_volume);

static const struct field claim_fields[] = {
	BUILT("claimName", STRING, SHOULD, claim, name, RESTART, "Name of the directory.", .required = true,
	      .check = check_subdomain_name),
	BUILT("readOnly", BOOL, SHOULD, claim, read_only, RESTART, "Whether it may only be read."),
};
static const struct schema schema_claim =
	SCHEMA("PersistentVolumeClaimVolumeSource", claim_fields, sizeof(struct claim), .starts_with_set = true);

static const struct field nfs_fields[] = {
	PLANNED("server", STRING, LATER, RESTART, "Address of the server.", .required = true),
	PLANNED("path", STRING, LATER, RESTART, "Path on the server.", .required = true, .check = check_absolute_path),
	PLANNED("readOnly", BOOL, LATER, RESTART, "Whether it may only be read."),
};
static const struct schema schema_nfs = SCHEMA("NFSVolumeSource", nfs_fields, 0);

/* --- the volume ------------------------------------------------------------------------------------------------------------------ */

#define SOURCE OF("VolumeSource")
#define REMOTE(name_, schema_) \
	NEVER(name_, OBJECT, "A storage service of a cluster or a cloud.", SOURCE, .object = &(schema_), .hint = HINT_MOUNT)

static const struct field volume_fields[] = {
	BUILT("name", STRING, MUST, volume, name, RESTART, "Name of the volume, unique in the pod.", .required = true,
	      .check = check_label_name),
	BUILT("hostPath", OBJECT, MUST, volume, host_path, RESTART, "A file or directory of the host.", SOURCE,
	      .object = &schema_host_path),
	BUILT("emptyDir", OBJECT, MUST, volume, empty_dir, RESTART,
	      "An empty directory that lives as long as the pod, shared by its containers.", SOURCE, .object = &schema_empty_dir),
	REMOTE("gcePersistentDisk", schema_gce_disk),
	REMOTE("awsElasticBlockStore", schema_aws_disk),
	NEVER("gitRepo", OBJECT, "A git repository, checked out.", SOURCE, .object = &schema_git_repo,
	      .hint = "clone it on the host and use hostPath"),
	BUILT("secret", OBJECT, MUST, volume, secret, RESTART, "Files from a Secret.", SOURCE, .object = &schema_secret),
	PLANNED("nfs", OBJECT, LATER, RESTART, "An NFS export.", SOURCE, .object = &schema_nfs, .hint = HINT_MOUNT),
	REMOTE("iscsi", schema_iscsi),
	REMOTE("glusterfs", schema_glusterfs),
	BUILT("persistentVolumeClaim", OBJECT, SHOULD, volume, claim, RESTART, "A named directory that outlives the pod.", SOURCE,
	      .object = &schema_claim),
	REMOTE("rbd", schema_rbd),
	REMOTE("flexVolume", schema_flex_volume),
	REMOTE("cinder", schema_cinder),
	REMOTE("cephfs", schema_ceph_fs),
	REMOTE("flocker", schema_flocker),
	BUILT("downwardAPI", OBJECT, SHOULD, volume, downward, RESTART, "Facts about the pod as files.", SOURCE,
	      .object = &schema_downward),
	REMOTE("fc", schema_fc),
	REMOTE("azureFile", schema_azure_file),
	BUILT("configMap", OBJECT, MUST, volume, config_map, RESTART, "Files from a ConfigMap.", SOURCE,
	      .object = &schema_config_map),
	REMOTE("vsphereVolume", schema_vsphere_disk),
	REMOTE("quobyte", schema_quobyte),
	REMOTE("azureDisk", schema_azure_disk),
	REMOTE("photonPersistentDisk", schema_photon_disk),
	BUILT("projected", OBJECT, SHOULD, volume, projected, RESTART, "Files from several sources in one directory.", SOURCE,
	      .object = &schema_projected),
	REMOTE("portworxVolume", schema_portworx),
	REMOTE("scaleIO", schema_scale_io),
	REMOTE("storageos", schema_storageos),
	REMOTE("csi", schema_csi),
	NEVER("ephemeral", OBJECT, "A claim made for this pod.", SOURCE, .object = &schema_ephemeral, .hint = "use emptyDir"),
	BUILT("image", OBJECT, SHOULD, volume, image, RESTART, "Files of an image, read-only.", SOURCE, .object = &schema_image),
};
const struct schema schema_volume =
	SCHEMA("Volume", volume_fields, sizeof(struct volume), .rule = rule_one_volume_source, .most = POD_VOLUMES_MAX);
