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
bool check_host_path(const struct value *v, struct arena *a, struct finding *ret);
bool check_capability(const struct value *v, struct arena *a, struct finding *ret);
bool check_id(const struct value *v, struct arena *a, struct finding *ret);
bool check_grace(const struct value *v, struct arena *a, struct finding *ret);
bool check_cpu(const struct value *v, struct arena *a, struct finding *ret);
bool check_memory(const struct value *v, struct arena *a, struct finding *ret);
bool check_size_limit(const struct value *v, struct arena *a, struct finding *ret);
bool check_medium(const struct value *v, struct arena *a, struct finding *ret);

/* Keys and values of metadata maps. */
bool check_qualified_name(const char *key, struct arena *a, struct finding *ret);
bool check_label_value(const char *value, struct arena *a, struct finding *ret);

/* The path without "//", "/./" and a trailing "/"; NULL if it has a ".." or is not absolute. */
char *path_clean(struct arena *a, const char *path);
