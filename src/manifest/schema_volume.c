/* Volumes and their sources on this machine. */
#include "manifest/schema_rows.h"

static const struct field host_path_fields[] = {
	BUILT("path", STRING, MUST, host_path, path, RECREATE, "Path on the host.", .required = true, .check = check_host_path),
	BUILT("type", ENUM, MUST, host_path, type, RECREATE,
	      "What it must be: Directory, File, Socket, CharDevice, BlockDevice; or is made: DirectoryOrCreate, FileOrCreate.",
	      .values = &host_path_type_words, .fallback = ""),
};
static const struct schema schema_host_path =
	SCHEMA("HostPathVolumeSource", host_path_fields, sizeof(struct host_path), .starts_with_set = true);

static const struct field empty_dir_fields[] = {
	BUILT("medium", ENUM, MUST, empty_dir, medium, RECREATE,
	      "\"\": the host's disk; Memory: a tmpfs, shared by the pod's containers.", .values = &empty_dir_medium_words,
	      .fallback = "", .check = check_medium),
	BUILT("sizeLimit", QUANTITY, MUST, empty_dir, size_limit, RECREATE, "Size of the tmpfs with medium: Memory.",
	      .check = check_size_limit),
	PLANNED("mode", INT32, SHOULD, RECREATE, "Mode of the directory.", .check = check_directory_mode, .hint = HINT_LATER),
};
static const struct schema schema_empty_dir =
	SCHEMA("EmptyDirVolumeSource", empty_dir_fields, sizeof(struct empty_dir), .starts_with_set = true);

/* --- files made of other things ------------------------------------------------------------------------------------------------ */

#define FILE_USER PLANNED("user", INT64, SHOULD, RECREATE, "User the file belongs to.", .check = check_id)
#define FILE_MODE PLANNED("mode", INT32, MUST, RECREATE, "Mode of the file.", .check = check_file_mode)
#define DEFAULT_MODE(verdict_)                                                                                \
	PLANNED("defaultMode", INT32, verdict_, RECREATE, "Mode of files that name none.", .fallback = "420", \
	        .check = check_file_mode)
#define DEFAULT_USER PLANNED("defaultUser", INT64, SHOULD, RECREATE, "User of files that name none.", .check = check_id)
#define OPTIONAL(verdict_) PLANNED("optional", BOOL, verdict_, RECREATE, "Whether it may be missing.")
#define ITEMS(verdict_) \
	PLANNED("items", OBJECTS, verdict_, RECREATE, "Which keys become files; all by default.", .object = &schema_key_to_path)
#define REFERENCE_NAME(doc_) \
	PLANNED("name", STRING, SHOULD, RECREATE, doc_, OF("LocalObjectReference"), .required = true, .check = check_subdomain_name)

static const struct field key_to_path_fields[] = {
	PLANNED("key", STRING, MUST, RECREATE, "Key of the ConfigMap or Secret.", .required = true, .check = check_config_key),
	PLANNED("path", STRING, MUST, RECREATE, "Path of the file, below the mount.", .required = true, .check = check_file_path),
	FILE_MODE,
	FILE_USER,
};
static const struct schema schema_key_to_path = SCHEMA("KeyToPath", key_to_path_fields, 0);

static const struct field secret_fields[] = {
	PLANNED("secretName", STRING, MUST, RECREATE, "Name of the Secret.", .required = true, .check = check_subdomain_name),
	ITEMS(MUST),
	DEFAULT_MODE(MUST),
	OPTIONAL(MUST),
	DEFAULT_USER,
};
static const struct schema schema_secret = SCHEMA("SecretVolumeSource", secret_fields, 0);

static const struct field config_map_fields[] = {
	REFERENCE_NAME("Name of the ConfigMap."), ITEMS(MUST), DEFAULT_MODE(MUST), OPTIONAL(MUST), DEFAULT_USER,
};
static const struct schema schema_config_map = SCHEMA("ConfigMapVolumeSource", config_map_fields, 0);

static const struct field downward_file_fields[] = {
	PLANNED("path", STRING, SHOULD, RECREATE, "Path of the file, below the mount.", .required = true, .check = check_file_path),
	PLANNED("fieldRef", OBJECT, SHOULD, RECREATE, "A field of the pod.", .object = &schema_field_selector,
	        .rule = rule_field_file),
	PLANNED("resourceFieldRef", OBJECT, SHOULD, RECREATE, "A limit or request of a container.",
	        .object = &schema_resource_selector, .rule = rule_resource_file),
	PLANNED("mode", INT32, SHOULD, RECREATE, "Mode of the file.", .check = check_file_mode),
	FILE_USER,
};
static const struct schema schema_downward_file =
	SCHEMA("DownwardAPIVolumeFile", downward_file_fields, 0, .rule = rule_downward_file);

static const struct field downward_fields[] = {
	PLANNED("items", OBJECTS, SHOULD, RECREATE, "The files.", .object = &schema_downward_file),
	DEFAULT_MODE(SHOULD),
	DEFAULT_USER,
};
static const struct schema schema_downward = SCHEMA("DownwardAPIVolumeSource", downward_fields, 0);

static const struct field secret_projection_fields[] = { REFERENCE_NAME("Name of the Secret."), ITEMS(SHOULD), OPTIONAL(SHOULD) };
static const struct schema schema_secret_projection = SCHEMA("SecretProjection", secret_projection_fields, 0);

static const struct field config_map_projection_fields[] = { REFERENCE_NAME("Name of the ConfigMap."), ITEMS(SHOULD),
	                                                     OPTIONAL(SHOULD) };
static const struct schema schema_config_map_projection = SCHEMA("ConfigMapProjection", config_map_projection_fields, 0);

static const struct field downward_projection_fields[] = {
	PLANNED("items", OBJECTS, SHOULD, RECREATE, "The files.", .object = &schema_downward_file),
};
static const struct schema schema_downward_projection = SCHEMA("DownwardAPIProjection", downward_projection_fields, 0);

static const struct field token_fields[] = {
	NEVER("audience", STRING, "Who the token is for."),
	NEVER("expirationSeconds", INT64, "How long it is valid.", .check = check_token_lifetime),
	NEVER("path", STRING, "Path of the file.", .required = true, .check = check_file_path),
	FILE_USER,
};
static const struct schema schema_token = SCHEMA("ServiceAccountTokenProjection", token_fields, 0);

static const struct field trust_bundle_fields[] = {
	NEVER("name", STRING, "Name of the bundle."),
	NEVER("signerName", STRING, "Signer whose bundles are taken."),
	NEVER("labelSelector", LABEL_SELECTOR, "Labels of the bundles.", .object = &schema_label_selector),
	NEVER("optional", BOOL, "Whether it may be missing."),
	NEVER("path", STRING, "Path of the file.", .required = true, .check = check_file_path),
	FILE_USER,
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
	FILE_USER,
};
static const struct schema schema_certificate = SCHEMA("PodCertificateProjection", certificate_fields, 0);

static const struct field projection_fields[] = {
	PLANNED("secret", OBJECT, SHOULD, RECREATE, "Files from a Secret.", .object = &schema_secret_projection),
	PLANNED("downwardAPI", OBJECT, SHOULD, RECREATE, "Facts about the pod.", .object = &schema_downward_projection),
	PLANNED("configMap", OBJECT, SHOULD, RECREATE, "Files from a ConfigMap.", .object = &schema_config_map_projection),
	NEVER("serviceAccountToken", OBJECT, "A token for the API.", .object = &schema_token, .hint = HINT_HOST_FILES),
	NEVER("clusterTrustBundle", OBJECT, "Certificates of the cluster.", .object = &schema_trust_bundle,
	      .hint = HINT_HOST_FILES),
	NEVER("podCertificate", OBJECT, "A certificate for the pod.", .object = &schema_certificate, .hint = HINT_HOST_FILES),
};
static const struct schema schema_projection = SCHEMA("VolumeProjection", projection_fields, 0, .rule = rule_one_projection);

static const struct field projected_fields[] = {
	PLANNED("sources", OBJECTS, SHOULD, RECREATE, "What is put together.", .object = &schema_projection,
	        .rule = rule_projected_paths),
	DEFAULT_MODE(SHOULD),
	DEFAULT_USER,
};
static const struct schema schema_projected = SCHEMA("ProjectedVolumeSource", projected_fields, 0);

static const struct field image_fields[] = {
	PLANNED("reference", STRING, SHOULD, RECREATE, "The image."),
	PLANNED("pullPolicy", STRING, SHOULD, UPDATE, "When the image is pulled.", .choices = "Always|IfNotPresent|Never"),
};
static const struct schema schema_image = SCHEMA("ImageVolumeSource", image_fields, 0, .rule = rule_image_volume);

static const struct field claim_fields[] = {
	PLANNED("claimName", STRING, SHOULD, RECREATE, "Name of the directory.", .required = true, .check = check_subdomain_name),
	PLANNED("readOnly", BOOL, SHOULD, RECREATE, "Whether it may only be read."),
};
static const struct schema schema_claim = SCHEMA("PersistentVolumeClaimVolumeSource", claim_fields, 0);

static const struct field nfs_fields[] = {
	PLANNED("server", STRING, LATER, RECREATE, "Address of the server.", .required = true),
	PLANNED("path", STRING, LATER, RECREATE, "Path on the server.", .required = true, .check = check_absolute_path),
	PLANNED("readOnly", BOOL, LATER, RECREATE, "Whether it may only be read."),
};
static const struct schema schema_nfs = SCHEMA("NFSVolumeSource", nfs_fields, 0);

/* --- the volume ------------------------------------------------------------------------------------------------------------------ */

#define SOURCE OF("VolumeSource")
#define REMOTE(name_, schema_) \
	NEVER(name_, OBJECT, "A storage service of a cluster or a cloud.", SOURCE, .object = &(schema_), .hint = HINT_MOUNT)

static const struct field volume_fields[] = {
	BUILT("name", STRING, MUST, volume, name, RECREATE, "Name of the volume, unique in the pod.", .required = true,
	      .check = check_label_name),
	BUILT("hostPath", OBJECT, MUST, volume, host_path, RECREATE, "A file or directory of the host.", SOURCE,
	      .object = &schema_host_path),
	BUILT("emptyDir", OBJECT, MUST, volume, empty_dir, RECREATE,
	      "An empty directory that lives as long as the pod, shared by its containers.", SOURCE, .object = &schema_empty_dir),
	REMOTE("gcePersistentDisk", schema_gce_disk),
	REMOTE("awsElasticBlockStore", schema_aws_disk),
	NEVER("gitRepo", OBJECT, "A git repository, checked out.", SOURCE, .object = &schema_git_repo,
	      .hint = "clone it on the host and use hostPath"),
	PLANNED("secret", OBJECT, MUST, RECREATE, "Files from a Secret.", SOURCE, .object = &schema_secret,
	        .hint = HINT_HOST_FILES),
	PLANNED("nfs", OBJECT, LATER, RECREATE, "An NFS export.", SOURCE, .object = &schema_nfs, .hint = HINT_MOUNT),
	REMOTE("iscsi", schema_iscsi),
	REMOTE("glusterfs", schema_glusterfs),
	PLANNED("persistentVolumeClaim", OBJECT, SHOULD, RECREATE, "A named directory that outlives the pod.", SOURCE,
	        .object = &schema_claim, .hint = "use hostPath with type DirectoryOrCreate"),
	REMOTE("rbd", schema_rbd),
	REMOTE("flexVolume", schema_flex_volume),
	REMOTE("cinder", schema_cinder),
	REMOTE("cephfs", schema_ceph_fs),
	REMOTE("flocker", schema_flocker),
	PLANNED("downwardAPI", OBJECT, SHOULD, RECREATE, "Facts about the pod as files.", SOURCE, .object = &schema_downward,
	        .hint = HINT_LATER),
	REMOTE("fc", schema_fc),
	REMOTE("azureFile", schema_azure_file),
	PLANNED("configMap", OBJECT, MUST, RECREATE, "Files from a ConfigMap.", SOURCE, .object = &schema_config_map,
	        .hint = HINT_HOST_FILES),
	REMOTE("vsphereVolume", schema_vsphere_disk),
	REMOTE("quobyte", schema_quobyte),
	REMOTE("azureDisk", schema_azure_disk),
	REMOTE("photonPersistentDisk", schema_photon_disk),
	PLANNED("projected", OBJECT, SHOULD, RECREATE, "Files from several sources in one directory.", SOURCE,
	        .object = &schema_projected, .hint = HINT_HOST_FILES),
	REMOTE("portworxVolume", schema_portworx),
	REMOTE("scaleIO", schema_scale_io),
	REMOTE("storageos", schema_storageos),
	REMOTE("csi", schema_csi),
	NEVER("ephemeral", OBJECT, "A claim made for this pod.", SOURCE, .object = &schema_ephemeral, .hint = "use emptyDir"),
	PLANNED("image", OBJECT, SHOULD, RECREATE, "Files of an image.", SOURCE, .object = &schema_image, .hint = HINT_HOST_FILES),
};
const struct schema schema_volume = SCHEMA("Volume", volume_fields, sizeof(struct volume), .rule = rule_one_volume_source);
