/* Volumes of clusters and clouds. podd mounts none of them; what is said about them is still judged, so that a slip of the hand is not
 * hidden behind the refusal. */
#include "manifest/schema_rows.h"

#define FS_TYPE NEVER("fsType", STRING, "Type of the file system.")
#define READ_ONLY NEVER("readOnly", BOOL, "Whether it may only be read.")
#define SECRET_REF(name_) NEVER(name_, OBJECT, "Secret with the credentials.", .object = &schema_object_reference)
#define REMOTE_SCHEMA(name_, fields_, ...) SCHEMA(name_, fields_, 0, ##__VA_ARGS__)

static const struct field gce_disk_fields[] = {
	NEVER("pdName", STRING, "Name of the disk.", .required = true),
	FS_TYPE,
	NEVER("partition", INT32, "Number of the partition.", .check = check_byte),
	READ_ONLY,
};
const struct schema schema_gce_disk = REMOTE_SCHEMA("GCEPersistentDiskVolumeSource", gce_disk_fields);

static const struct field aws_disk_fields[] = {
	NEVER("volumeID", STRING, "Id of the disk.", .required = true),
	FS_TYPE,
	NEVER("partition", INT32, "Number of the partition.", .check = check_byte),
	READ_ONLY,
};
const struct schema schema_aws_disk = REMOTE_SCHEMA("AWSElasticBlockStoreVolumeSource", aws_disk_fields);

static const struct field git_repo_fields[] = {
	NEVER("repository", STRING, "Address of the repository.", .required = true),
	NEVER("revision", STRING, "Commit to check out."),
	NEVER("directory", STRING, "Directory to put it into.", .check = check_relative_path),
};
const struct schema schema_git_repo = REMOTE_SCHEMA("GitRepoVolumeSource", git_repo_fields);

static const struct field iscsi_fields[] = {
	NEVER("targetPortal", STRING, "Address of the target.", .required = true),
	NEVER("iqn", STRING, "Qualified name of the target.", .required = true, .check = check_iqn),
	NEVER("lun", INT32, "Number of the unit.", .check = check_byte),
	NEVER("iscsiInterface", STRING, "Interface of the initiator."),
	FS_TYPE,
	READ_ONLY,
	NEVER("portals", STRINGS, "Further addresses of the target."),
	NEVER("chapAuthDiscovery", BOOL, "Whether discovery authenticates."),
	NEVER("chapAuthSession", BOOL, "Whether the session authenticates."),
	SECRET_REF("secretRef"),
	NEVER("initiatorName", STRING, "Qualified name of the initiator.", .check = check_iqn),
};
const struct schema schema_iscsi = REMOTE_SCHEMA("ISCSIVolumeSource", iscsi_fields, .rule = rule_iscsi);

static const struct field glusterfs_fields[] = {
	NEVER("endpoints", STRING, "Name of the endpoints.", .required = true),
	NEVER("path", STRING, "Path of the volume.", .required = true),
	READ_ONLY,
};
const struct schema schema_glusterfs = REMOTE_SCHEMA("GlusterfsVolumeSource", glusterfs_fields);

static const struct field rbd_fields[] = {
	NEVER("monitors", STRINGS, "Addresses of the monitors.", .required = true),
	NEVER("image", STRING, "Name of the image.", .required = true),
	FS_TYPE,
	NEVER("pool", STRING, "Name of the pool."),
	NEVER("user", STRING, "Name of the user."),
	NEVER("keyring", STRING, "File with the key."),
	SECRET_REF("secretRef"),
	READ_ONLY,
};
const struct schema schema_rbd = REMOTE_SCHEMA("RBDVolumeSource", rbd_fields);

static const struct field flex_volume_fields[] = {
	NEVER("driver", STRING, "Name of the driver.", .required = true),
	FS_TYPE,
	SECRET_REF("secretRef"),
	READ_ONLY,
	NEVER("options", MAP, "Options of the driver."),
};
const struct schema schema_flex_volume = REMOTE_SCHEMA("FlexVolumeSource", flex_volume_fields);

static const struct field cinder_fields[] = {
	NEVER("volumeID", STRING, "Id of the disk.", .required = true),
	FS_TYPE,
	READ_ONLY,
	SECRET_REF("secretRef"),
};
const struct schema schema_cinder = REMOTE_SCHEMA("CinderVolumeSource", cinder_fields);

static const struct field ceph_fs_fields[] = {
	NEVER("monitors", STRINGS, "Addresses of the monitors.", .required = true),
	NEVER("path", STRING, "Path inside the file system."),
	NEVER("user", STRING, "Name of the user."),
	NEVER("secretFile", STRING, "File with the key."),
	SECRET_REF("secretRef"),
	READ_ONLY,
};
const struct schema schema_ceph_fs = REMOTE_SCHEMA("CephFSVolumeSource", ceph_fs_fields);

static const struct field flocker_fields[] = {
	NEVER("datasetName", STRING, "Name of the data set.", .check = check_no_slash),
	NEVER("datasetUUID", STRING, "Id of the data set."),
};
const struct schema schema_flocker = REMOTE_SCHEMA("FlockerVolumeSource", flocker_fields, .rule = rule_flocker);

static const struct field fc_fields[] = {
	NEVER("targetWWNs", STRINGS, "World wide names of the target."),
	NEVER("lun", INT32, "Number of the unit.", .check = check_byte),
	FS_TYPE,
	READ_ONLY,
	NEVER("wwids", STRINGS, "World wide identifiers."),
};
const struct schema schema_fc = REMOTE_SCHEMA("FCVolumeSource", fc_fields, .rule = rule_fc);

static const struct field azure_file_fields[] = {
	NEVER("secretName", STRING, "Secret with the account.", .required = true),
	NEVER("shareName", STRING, "Name of the share.", .required = true),
	READ_ONLY,
};
const struct schema schema_azure_file = REMOTE_SCHEMA("AzureFileVolumeSource", azure_file_fields);

static const struct field vsphere_disk_fields[] = {
	NEVER("volumePath", STRING, "Path of the disk.", .required = true),
	FS_TYPE,
	NEVER("storagePolicyName", STRING, "Name of the storage policy."),
	NEVER("storagePolicyID", STRING, "Id of the storage policy."),
};
const struct schema schema_vsphere_disk = REMOTE_SCHEMA("VsphereVirtualDiskVolumeSource", vsphere_disk_fields);

static const struct field quobyte_fields[] = {
	NEVER("registry", STRING, "Addresses of the registry.", .required = true),
	NEVER("volume", STRING, "Name of the volume.", .required = true),
	READ_ONLY,
	NEVER("user", STRING, "User it is mounted as."),
	NEVER("group", STRING, "Group it is mounted as."),
	NEVER("tenant", STRING, "Owner of the volume."),
};
const struct schema schema_quobyte = REMOTE_SCHEMA("QuobyteVolumeSource", quobyte_fields);

static const struct field azure_disk_fields[] = {
	NEVER("diskName", STRING, "Name of the disk.", .required = true),
	NEVER("diskURI", STRING, "Address of the disk.", .required = true),
	NEVER("cachingMode", STRING, "How it is cached.", .choices = "None|ReadOnly|ReadWrite"),
	FS_TYPE,
	READ_ONLY,
	NEVER("kind", STRING, "How the disk is kept.", .choices = "Shared|Dedicated|Managed"),
};
const struct schema schema_azure_disk = REMOTE_SCHEMA("AzureDiskVolumeSource", azure_disk_fields);

static const struct field photon_disk_fields[] = {
	NEVER("pdID", STRING, "Id of the disk.", .required = true),
	FS_TYPE,
};
const struct schema schema_photon_disk = REMOTE_SCHEMA("PhotonPersistentDiskVolumeSource", photon_disk_fields);

static const struct field portworx_fields[] = {
	NEVER("volumeID", STRING, "Id of the volume.", .required = true),
	FS_TYPE,
	READ_ONLY,
};
const struct schema schema_portworx = REMOTE_SCHEMA("PortworxVolumeSource", portworx_fields);

static const struct field scale_io_fields[] = {
	NEVER("gateway", STRING, "Address of the gateway.", .required = true),
	NEVER("system", STRING, "Name of the system.", .required = true),
	NEVER("secretRef", OBJECT, "Secret with the credentials.", .required = true, .object = &schema_object_reference),
	NEVER("sslEnabled", BOOL, "Whether to speak TLS."),
	NEVER("protectionDomain", STRING, "Name of the protection domain."),
	NEVER("storagePool", STRING, "Name of the pool."),
	NEVER("storageMode", STRING, "Thick or thin.", .choices = "ThickProvisioned|ThinProvisioned"),
	NEVER("volumeName", STRING, "Name of the volume.", .required = true),
	FS_TYPE,
	READ_ONLY,
};
const struct schema schema_scale_io = REMOTE_SCHEMA("ScaleIOVolumeSource", scale_io_fields);

static const struct field storageos_fields[] = {
	NEVER("volumeName", STRING, "Name of the volume.", .check = check_label_name),
	NEVER("volumeNamespace", STRING, "Namespace of the volume.", .check = check_label_name),
	FS_TYPE,
	READ_ONLY,
	SECRET_REF("secretRef"),
};
const struct schema schema_storageos = REMOTE_SCHEMA("StorageOSVolumeSource", storageos_fields);

static const struct field csi_fields[] = {
	NEVER("driver", STRING, "Name of the driver.", .required = true, .check = check_csi_driver),
	READ_ONLY,
	FS_TYPE,
	NEVER("volumeAttributes", MAP, "Options of the driver."),
	SECRET_REF("nodePublishSecretRef"),
};
const struct schema schema_csi = REMOTE_SCHEMA("CSIVolumeSource", csi_fields);

static const struct field data_source_fields[] = {
	NEVER("apiGroup", STRING, "Group of the kind.", .check = check_subdomain_name),
	NEVER("kind", STRING, "Kind of the object.", .required = true),
	NEVER("name", STRING, "Name of the object.", .required = true),
};
static const struct schema schema_data_source = REMOTE_SCHEMA("TypedLocalObjectReference", data_source_fields);

static const struct field data_source_ref_fields[] = {
	NEVER("apiGroup", STRING, "Group of the kind.", .check = check_subdomain_name),
	NEVER("kind", STRING, "Kind of the object.", .required = true),
	NEVER("name", STRING, "Name of the object.", .required = true),
	NEVER("namespace", STRING, "Namespace of the object.", .check = check_label_name),
};
static const struct schema schema_data_source_ref = REMOTE_SCHEMA("TypedObjectReference", data_source_ref_fields);

static const struct field storage_list_fields[] = {
	NEVER("storage", QUANTITY, "Size of the volume.", .check = check_storage),
};
static const struct schema schema_storage_list = REMOTE_SCHEMA("ResourceList", storage_list_fields);

static const struct field claim_resources_fields[] = {
	NEVER("limits", QUANTITY_MAP, "Size it may have at most.", .object = &schema_storage_list),
	NEVER("requests", QUANTITY_MAP, "Size it must have at least.", .object = &schema_storage_list),
};
static const struct schema schema_claim_resources = REMOTE_SCHEMA("VolumeResourceRequirements", claim_resources_fields);

static const struct field claim_spec_fields[] = {
	NEVER("accessModes", STRINGS, "Who may use it at once.", .required = true,
	      .choices = "ReadWriteOnce|ReadOnlyMany|ReadWriteMany|ReadWriteOncePod"),
	NEVER("selector", LABEL_SELECTOR, "Labels of the volumes that will do.", .object = &schema_label_selector),
	NEVER("resources", OBJECT, "Size of the volume.", .required = true, .object = &schema_claim_resources),
	NEVER("volumeName", STRING, "Name of the volume."),
	NEVER("storageClassName", STRING, "Class of storage.", .check = check_subdomain_name),
	NEVER("volumeMode", STRING, "A file system or a raw device.", .choices = "Filesystem|Block"),
	NEVER("dataSource", OBJECT, "What it is filled from.", .object = &schema_data_source),
	NEVER("dataSourceRef", OBJECT, "What it is filled from.", .object = &schema_data_source_ref),
	NEVER("volumeAttributesClassName", STRING, "Class of attributes.", .check = check_subdomain_name),
};
static const struct schema schema_claim_spec =
	REMOTE_SCHEMA("PersistentVolumeClaimSpec", claim_spec_fields, .rule = rule_claim_spec);

static const struct field claim_template_fields[] = {
	NO_OP("metadata", OBJECT, "Labels of the claim.", OF("ObjectMeta")),
	NEVER("spec", OBJECT, "What the volume must be like.", .required = true, .object = &schema_claim_spec),
};
const struct schema schema_claim_template = REMOTE_SCHEMA("PersistentVolumeClaimTemplate", claim_template_fields);

static const struct field ephemeral_fields[] = {
	NEVER("volumeClaimTemplate", OBJECT, "The claim that is made for the pod.", .required = true,
	      .object = &schema_claim_template),
};
const struct schema schema_ephemeral = REMOTE_SCHEMA("EphemeralVolumeSource", ephemeral_fields);
