/* The typed volume: a part of struct pod (manifest/pod.h). */
#pragma once
#include "manifest/container.h"

enum host_path_type {
	HOST_PATH_ANY,
	HOST_PATH_DIRECTORY_OR_CREATE,
	HOST_PATH_DIRECTORY,
	HOST_PATH_FILE_OR_CREATE,
	HOST_PATH_FILE,
	HOST_PATH_SOCKET,
	HOST_PATH_CHAR_DEVICE,
	HOST_PATH_BLOCK_DEVICE,
	HOST_PATH_MAX,
};

struct host_path {
	bool set;
	const char *path;
	enum host_path_type type;
};

enum empty_dir_medium {
	EMPTY_DIR_DISK,
	EMPTY_DIR_MEMORY,
	EMPTY_DIR_HUGE,
	EMPTY_DIR_HUGE_2MI,
	EMPTY_DIR_HUGE_1GI,
	EMPTY_DIR_MEDIUM_MAX
};

struct empty_dir {
	bool set;
	enum empty_dir_medium medium;
	struct quantity size_limit;
	struct id mode;
};

struct key_path { /* a key that becomes a file */
	const char *key, *path;
	struct id mode, user;
};

struct key_path_list {
	struct key_path *items;
	size_t count;
};

struct config_files { /* of a ConfigMap or a Secret */
	bool set;
	const char *name;
	struct key_path_list items; /* none: every key, under its own name */
	bool optional;
	struct id default_mode, default_user; /* not of a projection */
};

struct downward_file {
	const char *path;
	struct field_selector field;
	struct resource_selector resource;
	struct id mode, user;
};

struct downward_file_list {
	struct downward_file *items;
	size_t count;
};

struct downward_files {
	bool set;
	struct downward_file_list items;
	struct id default_mode, default_user; /* not of a projection */
};

struct projection {
	struct config_files config_map, secret;
	struct downward_files downward;
};

struct projection_list {
	struct projection *items;
	size_t count;
};

struct projected {
	bool set;
	struct projection_list sources;
	struct id default_mode, default_user;
};

struct claim {
	bool set;
	const char *name;
	bool read_only;
};

struct image_volume {
	bool set;
	const char *reference;
	enum pull_policy pull_policy;
};

struct volume { /* exactly one source is set; none means emptyDir */
	const char *name;
	struct host_path host_path;
	struct empty_dir empty_dir;
	struct config_files config_map, secret;
	struct downward_files downward;
	struct projected projected;
	struct claim claim;
	struct image_volume image;
};

struct volume_list {
	struct volume *items;
	size_t count;
};
