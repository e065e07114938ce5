/* What one value must look like, by Kubernetes' rules and in its words. Rules between fields are in validate.c. */
#pragma once
#include "manifest/schema.h"

enum {
	NAME_MAX_LABEL = 63,
	NAME_MAX_SUBDOMAIN = 253,
	PORT_NAME_MAX = 15,
	ENV_NAME_MAX = 4096,
	PATH_TEXT_MAX = 4095,
	ANNOTATIONS_SIZE_MAX = 262144,
};

bool check_label_name(const struct value *v, struct arena *a, struct finding *ret);     /* DNS-1123 label */
bool check_subdomain_name(const struct value *v, struct arena *a, struct finding *ret); /* DNS-1123 subdomain */
bool check_pod_uid(const struct value *v, struct arena *a, struct finding *ret);
bool check_image(const struct value *v, struct arena *a, struct finding *ret);
bool check_working_dir(const struct value *v, struct arena *a, struct finding *ret);
bool check_env_name(const struct value *v, struct arena *a, struct finding *ret);
bool check_port(const struct value *v, struct arena *a, struct finding *ret);
bool check_host_port(const struct value *v, struct arena *a, struct finding *ret);
bool check_port_name(const struct value *v, struct arena *a, struct finding *ret);
bool check_host_ip(const struct value *v, struct arena *a, struct finding *ret);
bool check_mount_path(const struct value *v, struct arena *a, struct finding *ret);
bool check_message_path(const struct value *v, struct arena *a, struct finding *ret);
bool check_host_path(const struct value *v, struct arena *a, struct finding *ret);
bool check_capability(const struct value *v, struct arena *a, struct finding *ret);
bool check_id(const struct value *v, struct arena *a, struct finding *ret);
bool check_grace(const struct value *v, struct arena *a, struct finding *ret);
bool check_cpu(const struct value *v, struct arena *a, struct finding *ret);
bool check_memory(const struct value *v, struct arena *a, struct finding *ret);
bool check_size_limit(const struct value *v, struct arena *a, struct finding *ret);
bool check_huge_2mi(const struct value *v, struct arena *a, struct finding *ret);
bool check_huge_1gi(const struct value *v, struct arena *a, struct finding *ret);

/* check_field.c: the same for fields of all regions of the API. */
bool check_not_negative_number(const struct value *v, struct arena *a, struct finding *ret);
bool check_positive_number(const struct value *v, struct arena *a, struct finding *ret);
bool check_positive_int32(const struct value *v, struct arena *a, struct finding *ret);
bool check_byte(const struct value *v, struct arena *a, struct finding *ret); /* 0 to 255 */
bool check_weight(const struct value *v, struct arena *a, struct finding *ret);
bool check_file_mode(const struct value *v, struct arena *a, struct finding *ret);
bool check_directory_mode(const struct value *v, struct arena *a, struct finding *ret);
bool check_token_lifetime(const struct value *v, struct arena *a, struct finding *ret);
bool check_certificate_lifetime(const struct value *v, struct arena *a, struct finding *ret);
bool check_port_or_name(const struct value *v, struct arena *a, struct finding *ret);
bool check_storage(const struct value *v, struct arena *a, struct finding *ret);
bool check_qualified_text(const struct value *v, struct arena *a, struct finding *ret);
bool check_label_text(const struct value *v, struct arena *a, struct finding *ret);
bool check_config_key(const struct value *v, struct arena *a, struct finding *ret);
bool check_env_prefix(const struct value *v, struct arena *a, struct finding *ret);
bool check_header_name(const struct value *v, struct arena *a, struct finding *ret);
bool check_header_value(const struct value *v, struct arena *a, struct finding *ret);
bool check_probe_host(const struct value *v, struct arena *a, struct finding *ret);
bool check_sysctl_name(const struct value *v, struct arena *a, struct finding *ret);
bool check_word(const struct value *v, struct arena *a, struct finding *ret); /* no spaces, nothing invisible */
bool check_search_domain(const struct value *v, struct arena *a, struct finding *ret);
bool check_host_label(const struct value *v, struct arena *a, struct finding *ret); /* a label, or "" */
bool check_hostname_override(const struct value *v, struct arena *a, struct finding *ret);
bool check_csi_driver(const struct value *v, struct arena *a, struct finding *ret);
bool check_iqn(const struct value *v, struct arena *a, struct finding *ret);
bool check_ip(const struct value *v, struct arena *a, struct finding *ret);
bool check_no_slash(const struct value *v, struct arena *a, struct finding *ret);
bool check_relative_path(const struct value *v, struct arena *a, struct finding *ret); /* no "..", not absolute */
bool check_file_path(const struct value *v, struct arena *a, struct finding *ret);     /* and no name that begins with ".." */
bool check_absolute_path(const struct value *v, struct arena *a, struct finding *ret);
bool check_device_path(const struct value *v, struct arena *a, struct finding *ret);

/* What the checks are made of. */
bool check_wrong(struct finding *ret, const char *text, const char *hint);
bool check_invalid(struct finding *ret, struct arena *a, const char *value, const char *rule, const char *hint);
bool check_too_long(struct finding *ret, struct arena *a, size_t max);
bool is_dns_label(const char *s, size_t n);
bool is_dns_subdomain(const char *s);

/* Keys and values of metadata maps. */
bool check_qualified_name(const char *key, struct arena *a, struct finding *ret);
bool check_label_value(const char *value, struct arena *a, struct finding *ret);

/* The path without "//", "/./" and a trailing "/"; NULL if it has a ".." or is not absolute. */
char *path_clean(struct arena *a, const char *path);
