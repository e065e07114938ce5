/* What cgroup.c shares with its two backends, and nobody else.
 *
 * A host is one v2 directory, always, and the v1 directories of those controllers that are still mounted the old way. Each controller
 * lives in exactly one place: `v1_set` and `v2_set` are disjoint, and a controller in neither can't be used here. So "hybrid" and
 * "unified" are not two code paths: each call does the v2 part with v2_set, then the v1 part of each hierarchy. */
#pragma once
#include "sys/cgroup.h"

enum { CGROUP_PATH_SIZE = 1024, CGROUP_DEPTH_MAX = 8, CGROUP_OTHERS_MAX = 16 };

struct cgroup_hierarchy {
	const char *name;     /* of its first controller */
	unsigned controllers; /* bits: those of ours that are mounted together here */
	int root;
};

struct cgroup_host {
	int v2;          /* the root directory in the v2 tree */
	int v2_top;      /* the cgroup that podd was given, or the mount's top */
	unsigned v2_set; /* controllers enabled in the root directory; "devices": programs can be attached */
	unsigned v1_set;
	struct cgroup_hierarchy v1[CGROUP_V1_MAX];
	const char *v1_names[CGROUP_V1_MAX];
	size_t v1_count;
	char *name;                      /* of the root directory below v2_top */
	char *given;                     /* v2_top below its mount: "", "/system.slice/podd.service" */
	char *others[CGROUP_OTHERS_MAX]; /* where hierarchies are mounted that have no controller of ours */
	size_t other_count;
};

#define CGROUP_BIT(c) (1U << (c))

/* "rel/file", or one of them when the other is empty. -EINVAL for a rel that would leave the root, -ENAMETOOLONG. */
int cgroup_path(char ret[static CGROUP_PATH_SIZE], const char *rel, const char *file);

int cgroup_open_file(int dir, const char *rel, const char *file, int mode);
int cgroup_open_dir(int dir, const char *rel);
/* A file with one number in it; "max" is UINT64_MAX. */
int cgroup_read_u64(int dir, const char *rel, const char *file, uint64_t *ret);
/* The number behind `key ` in a file of "key number" lines. -ENOENT when there is no such line. */
int cgroup_read_key(int dir, const char *rel, const char *file, const char *key, uint64_t *ret);
int cgroup_write(int dir, const char *rel, const char *file, const char *text);
int cgroup_write_u64(int dir, const char *rel, const char *file, uint64_t value);

/* Limits as given; with `reset`, zero fields are written as "no limit" instead of being left alone. */
int cgroup_v1_limit(const struct cgroup_hierarchy *v, const char *rel, const struct cgroup_limits *l, bool reset);
uint64_t cgroup_v1_oom_kills(const struct cgroup_hierarchy *v, const char *rel);
int cgroup_v1_usage(const struct cgroup_hierarchy *v, const char *rel, struct cgroup_usage *u);

/* Gives the root directory its controllers; fills v2_set. */
int cgroup_v2_delegate(struct cgroup_host *h);
int cgroup_v2_limit(const struct cgroup_host *h, const char *rel, const struct cgroup_limits *l, bool reset);
uint64_t cgroup_v2_oom_kills(const struct cgroup_host *h, const char *rel);
int cgroup_v2_usage(const struct cgroup_host *h, const char *rel, struct cgroup_usage *u);

/* hugetlb: in v2_set, but enabled by the first limit. */
bool cgroup_huge_offered(const struct cgroup_host *h);
int cgroup_huge_limit(const struct cgroup_host *h, const char *rel, const struct cgroup_limits *l);

/* Can programs be loaded that judge what may be opened? */
bool cgroup_bpf_devices(void);

/* Where the hierarchies are mounted. cgroup_mounts.c */
struct cgroup_mounts {
	struct {
		char *point;
		unsigned controllers;
	} v1[CGROUP_V1_MAX];
	size_t v1_count;
	char *others[CGROUP_OTHERS_MAX];
	size_t other_count;
	char *v2;      /* mount point; NULL: there is none */
	char *v2_root; /* which directory of the tree is mounted there, seen from podd's cgroup namespace */
};
/* Reads text of the form of /proc/self/mountinfo. The first mount of each tree counts. */
void cgroup_mounts_parse(char *text, struct cgroup_mounts *ret);
void cgroup_mounts_deinit(struct cgroup_mounts *m);
/* The v2 directory below which podd may work, allocated: the nearest delegated cgroup above the process, else the mount's top.
 * `membership` is the text of /proc/self/cgroup. */
char *cgroup_mounts_given(const struct cgroup_mounts *m, const char *membership);
