#include "daemon/pod/adopt.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/controller.h"
#include "daemon/intake/store.h"
#include "daemon/leases.h"
#include "daemon/pod/sandbox.h"
#include "daemon/pod/volumes.h"

enum { SOCKET_WAIT_MS = 200 };

static void adopt_one(struct daemon *d, const char *uid)
{
	if (sandbox_find(d, uid))
		return;
	struct event e = daemon_event(EVENT_ANCHOR_FOUND, uid, NULL, 0);
	daemon_step(d, &e);
	sandbox_adopt(d, uid);
}

static bool has_socket(struct daemon *d, const char *uid)
{
	char path[POD_UID_SIZE + 24];
	struct stat st;

	(void)snprintf(path, sizeof(path), "pods/%s/anchor.sock", uid);
	return fstatat(d->run_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode);
}

static int adopt_directories(struct daemon *d)
{
	_cleanup_dir_ DIR *dir = dir_open(d->run_fd, "pods");

	if (!dir)
		return errno == ENOENT ? 0 : -errno; /* the first start on this root */
	for (struct dirent *e; (e = dir_next(dir));)
		if (e->d_name[0] != '.' && strlen(e->d_name) < POD_UID_SIZE && has_socket(d, e->d_name))
			adopt_one(d, e->d_name);
	return 0;
}

/* Someone wiped /run: the anchor of this pod makes its socket anew when it is asked to by SIGHUP. */
static void ask_for_socket(struct daemon *d, const char *uid, const char *rel)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	char path[POD_UID_SIZE + 8], anchor[POD_UID_SIZE + 24];

	(void)snprintf(anchor, sizeof(anchor), "%s/anchor", rel);
	pid_t pid = cgroup_first_pid(d->cgroups, anchor);
	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	(void)dir_make(d->run_fd, path, 0700);
	if (pid <= 0 || kill(pid, SIGHUP) < 0)
		return;
	for (int i = 0; i < SOCKET_WAIT_MS && !has_socket(d, uid); i++)
		(void)nanosleep(&ms, NULL);
}

/* "burstable/pod<uid>": the uid, or NULL. */
static const char *pod_directory(const char *rel)
{
	const char *name = str_after(rel, "burstable/");

	if (!name)
		name = str_after(rel, "besteffort/");
	const char *uid = str_after(name ? name : rel, "pod");
	return uid && *uid && !strchr(uid, '/') && strlen(uid) < POD_UID_SIZE ? uid : NULL;
}

/* A pod's v2 directory is the first to be made and the last to be removed. Also a pod whose anchor was not there yet, or no more, when podd was
 * killed: what there is of its sandbox goes as if the anchor had died. */
static int adopt_cgroup(const char *rel, const char *hierarchy _unused_, void *arg)
{
	struct daemon *d = arg;
	const char *uid = pod_directory(rel);

	if (!uid || sandbox_find(d, uid))
		return 0;
	ask_for_socket(d, uid, rel);
	adopt_one(d, uid);
	return 0;
}

int adopt_all(struct daemon *d)
{
	int r = adopt_directories(d);

	return r < 0 ? r : cgroup_walk_v2(d->cgroups, adopt_cgroup, d);
}

/* --- what nobody knows ------------------------------------------------------------------------------------------------------------ */

/* As podd, and whoever gives a pod its uid by the rules, writes it: 8-4-4-4-12. What else lies there is not podd's. */
static bool is_uid(const char *name)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? !name[i] || !strchr("0123456789abcdef", name[i]) : name[i] != form[i])
			return false;
	return true;
}

static bool is_known(const struct daemon *d, const char *uid)
{
	return core_pod_by_uid(d->core, uid) || sandbox_find(d, uid) || controller_template(d, uid);
}

static bool has_damaged(const struct daemon *d, const char *name)
{
	_cleanup_dir_ DIR *dir = dir_open(d->state_fd, name);
	bool found = !dir; /* who knows */

	for (struct dirent *e; !found && (e = dir_next(dir));)
		found = str_after(e->d_name, ".bad-") != NULL;
	return found;
}

/* By podd's own directories; logs that have none beside them may be a kubelet's. */
static void sweep_directory(struct daemon *d, int base, bool damaged)
{
	_cleanup_dir_ DIR *dir = fd_is_read_only(base) ? NULL : dir_open(base, "pods");
	size_t left = 0;

	if (!dir)
		return;
	for (struct dirent *e; (e = dir_next(dir));) {
		if (!is_uid(e->d_name) || is_known(d, e->d_name))
			continue;
		left++;
		if (damaged)
			continue;
		daemon_report(d, "", NULL, true, "Swept", "removing what is left of pod %s, which nobody knows any more",
		              e->d_name);
		store_remove_pod(d, e->d_name, NULL);
		volumes_forget(d, e->d_name);
		leases_release(d, e->d_name);
	}
	if (left && damaged)
		log_warning("%zu directories of unknown pods stay, since one of the damaged files (.bad-*) may be theirs: "
		            "once those are removed from accepted and jobs in %s, podd's next start removes them",
		            left, config_path(d->config, "/var/lib/podd"));
}

void adopt_sweep(struct daemon *d)
{
	bool damaged = has_damaged(d, "accepted") || has_damaged(d, "jobs");

	if (d->config->drain)
		return;
	sweep_directory(d, d->state_fd, damaged);
	sweep_directory(d, d->run_fd, damaged);
}
