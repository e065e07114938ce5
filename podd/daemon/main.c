#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/intake/accept_internal.h"
#include "daemon/pod/adopt.h"
#include "daemon/api/api.h"
#include "daemon/pod/cdi.h"
#include "daemon/intake/configs.h"
#include "daemon/controller.h"
#include "daemon/pod/sources.h"
#include "daemon/image/dropin.h"
#include "daemon/pod/evict.h"
#include "daemon/api/http.h"
#include "daemon/image/images.h"
#include "daemon/janitor.h"
#include "daemon/pod/leftover.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/ownership.h"
#include "daemon/pod/reach.h"
#include "daemon/leases.h"
#include "daemon/node.h"
#include "daemon/record.h"
#include "daemon/rundir.h"
#include "daemon/probe/prober.h"
#include "daemon/pod/sandbox.h"
#include "daemon/pod/spawn.h"
#include "daemon/pod/volumes.h"
#include "daemon/intake/watch.h"
#include "plan/filter.h"
#include "sys/apparmor.h"
#include "sys/cap.h"
#include "sys/path.h"

enum { START_WAIT_MS = 2000 };

/* --- the host --------------------------------------------------------------------------------------------------------------------- */

static void missing(struct daemon *d, const char *text)
{
	if (!*text)
		return;
	*xgrow(d->missing.items, d->missing.count) = arena_strdup(d->arena, text);
	log_warning("%s", text);
}

static int open_directory(const char *path, mode_t mode, int *ret)
{
	int r = dir_make(AT_FDCWD, path, 0755);

	if (r < 0)
		return r;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fchmod(fd, mode) < 0 && errno != EROFS))
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

/* A worn flash becomes read-only: the pods run on, and what podd has to write lies in memory. */
static int open_durable(struct daemon *d, const char *path, mode_t mode, const char *known, const char *spare, int *ret)
{
	const char *full = config_path(d->config, path);
	_cleanup_close_ int fd = -EBADF;

	int r = open_directory(full, mode, &fd);
	bool read_only = r == -EROFS || (r == 0 && fd_is_read_only(fd));
	if (read_only && (r < 0 || faccessat(fd, known, F_OK, 0) < 0)) {
		_cleanup_free_ char *instead = xasprintf("%s/%s", d->run_path, spare);
		fd = fd_close(fd);
		r = open_directory(instead, mode, &fd);
	}
	if (r < 0) {
		log_error("opening %s: %s", full, strerror(-r));
		return r;
	}
	if (read_only) {
		_cleanup_free_ char *text =
			xasprintf("%s is read-only: what belongs there is in memory, and lost at the next boot", full);
		missing(d, text);
	}
	*ret = TAKE_FD(fd);
	return 0;
}

static int open_directories(struct daemon *d)
{
	d->run_path = config_path(d->config, "/run/podd");
	int r = open_directory(d->run_path, 0700, &d->run_fd);
	if (r == 0 && fd_is_read_only(d->run_fd))
		r = -EROFS;
	if (r < 0) {
		log_error("opening %s: %s%s", d->run_path, strerror(-r), r == -EROFS ? "; podd needs a tmpfs there" : "");
		return r;
	}
	/* What podd makes last when it starts for the first time shows that all of its directories are there. */
	r = open_durable(d, "/var/lib/podd", 0700, "accepted", "state", &d->state_fd);
	return r < 0 ? r : open_durable(d, "/var/log/pods", 0750, ".", LOGS_IN_MEMORY, &d->log_fd);
}

/* One podd a root: the lock goes with the process, and the file says whose it is. Not flock(2): a child that was cloned a moment before podd is
 * killed would hold it on, and the next podd, started at once, would find it taken. */
static int lock_root(struct daemon *d)
{
	_cleanup_buf_ struct buf holder = BUF_NULL;
	char pid[16];
	int fd = openat(d->run_fd, "podd.pid", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }) < 0) {
		(void)fd_read_all(fd, 16, &holder);
		log_error("another podd runs on this root: pid %.*s", (int)strcspn(buf_str(&holder), "\n"), buf_str(&holder));
		return -EBUSY;
	}
	(void)snprintf(pid, sizeof(pid), "%d\n", getpid());
	/* It is only for people: when /run is full the lock holds without it. */
	if (ftruncate(fd, 0) < 0 || write(fd, pid, strlen(pid)) < 0)
		log_warning("writing %s/podd.pid: %s, ignoring", d->run_path, strerror(errno));
	return 0; /* the descriptor stays open as long as podd lives */
}

static int open_cgroups(struct daemon *d)
{
	int r = cgroup_open(d->config->cgroup_root, &d->cgroups);

	if (r < 0) {
		log_error("opening the control groups: %s; podd needs a cgroup v2 hierarchy, with or without controllers",
		          strerror(-r));
		return r;
	}
	struct cgroup_limits none = { 0 };
	if (*d->config->cgroup_root != '/') { /* else the pods live in another unit's, and podd's own is in nobody's way */
		r = cgroup_make(d->cgroups, "supervisor", &none);
		if (r == 0)
			r = cgroup_join(d->cgroups, "supervisor");
		if (r < 0) {
			log_error("moving to the cgroup %s/supervisor: %s", d->config->cgroup_root, strerror(-r));
			return r;
		}
	}
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLER_MAX; c++)
		if (c != CGROUP_HUGETLB && !cgroup_has(d->cgroups, c)) { /* who asks for huge pages is told */
			_cleanup_free_ char *text =
				xasprintf("no cgroup controller \"%s\": its limits can't be enforced", cgroup_controller_name(c));
			missing(d, text);
		}
	return 0;
}

static int open_network(struct daemon *d)
{
	struct podnet_config cfg = { .network = d->config->network, .prefix = d->config->prefix, .tag = d->config->tag };
	/* Ranges of user ids are leased as if they were addresses: number n stands for the ids from n * LEASES_IDS on. */
	const struct in_addr id_ranges = { .s_addr = htonl(1 << 14) };
	int r = ipam_open(d->state_fd, "leases", cfg.network, cfg.prefix, &d->ipam);

	if (r == 0)
		r = ipam_open(d->state_fd, "leases.ids", id_ranges, 18, &d->id_leases);
	if (r == 0)
		r = podnet_open(&cfg, &d->net);
	if (r < 0) {
		log_error("setting up the pods' network: %s", strerror(-r));
		return r;
	}
	missing(d, podnet_missing(d->net));
	return 0;
}

static void fill_plan_context(struct daemon *d)
{
	struct rlimit nofile;
	struct sysinfo info;

	d->plan_context.v1_count = cgroup_v1(d->cgroups, &d->plan_context.v1_hierarchies);
	d->plan_context.unified = cgroup_unified(d->cgroups);
	d->plan_context.capabilities = cap_bounding();
	if (!(d->plan_context.capabilities & CAP_BIT(CAP_SYS_RESOURCE)))
		missing(d, "no CAP_SYS_RESOURCE: oom_score_adj can't be lowered, so Guaranteed and node-critical pods are not "
		           "spared when memory runs out");
	d->plan_context.apparmor = apparmor_enabled();
	d->plan_context.filters = filters_new(config_path(d->config, "/etc/podd/seccomp"));
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0)
		d->plan_context.nofile_max = nofile.rlim_max;
	if (sysinfo(&info) == 0)
		d->plan_context.memory_capacity = (int64_t)info.totalram * info.mem_unit;
}

/* Each start's three descriptors and then some: the soft limit goes up to the hard one. */
static void raise_nofile(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int load_helpers(struct daemon *d)
{
	const struct {
		const char *name;
		int *fd;
	} helpers[] = { { "podd-launch", &d->launch_fd }, { "podd-anchor", &d->anchor_fd } };

	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		int fd = spawn_load_helper(helpers[i].name);
		if (fd < 0) {
			log_error("loading %s: %s", helpers[i].name, strerror(-fd));
			return fd;
		}
		*helpers[i].fd = fd;
	}
	return 0;
}

/* --- events of the process ---------------------------------------------------------------------------------------------------- */

static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(sa.sun_path))
		return;
	(void)strcpy(sa.sun_path, path);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa,
		             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
}

static void feed_watchdog(uv_timer_t *t _unused_)
{
	notify("WATCHDOG=1");
}

/* sd_watchdog_enabled(3): the manager wants a sign of life within WATCHDOG_USEC. */
static void start_watchdog(struct daemon *d)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t interval, who;

	if (!usec || str_int(usec, 2000, INT64_MAX, &interval) < 0 ||
	    (pid && (str_int(pid, 1, INT32_MAX, &who) < 0 || who != getpid())))
		return;
	(void)uv_timer_init(&d->loop, &d->watchdog);
	uv_timer_start(&d->watchdog, feed_watchdog, 0, (uint64_t)interval / 2000);
}

static void reload(struct daemon *d)
{
	bool rest_differs;

	notify("RELOADING=1");
	if (config_reload(d->config, &rest_differs) < 0) {
		log_error("%s can't be used; the configuration stays as it was", d->config->config_file);
	} else {
		log_setup(d->config->log_level, d->config->log_json);
		log_info("%s was read%s", d->config->config_file,
		         rest_differs ? "; some of its changes wait for the next start of podd: see SIGHUP in podd(8)" : "");
	}
	node_refresh(d);
	watch_rescan(d->watcher);
	notify("READY=1");
	dropin_rescan(d);
}

static void on_signal(uv_signal_t *s, int signal)
{
	struct daemon *d = s->data;

	if (signal == SIGHUP) {
		reload(d);
		return;
	}
	log_info("ending on %s; pods stay", signal == SIGTERM ? "SIGTERM" : "SIGINT");
	d->ending = true; /* podd may still be waiting for its anchors: uv_stop() lasts for one turn of the loop */
	uv_stop(&d->loop);
}

static void on_network(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct daemon *d = p->data;
	_cleanup_buf_ struct buf report = BUF_NULL;

	int r = podnet_dispatch(d->net, &report);
	if (r < 0)
		log_warning("watching the network: %s, ignoring", strerror(-r));
	for (char *save, *line = report.data ? strtok_r(report.data, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		daemon_report(d, "", NULL, false, "NetworkRepaired", "%s", line);
}

static int watch_process(struct daemon *d)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		d->signals[i].data = d;
		int r = uv_signal_init(&d->loop, &d->signals[i]);
		if (r == 0)
			r = uv_signal_start(&d->signals[i], on_signal, signals[i]);
		if (r < 0)
			return r;
	}
	d->net_poll.data = d;
	int r = uv_poll_init(&d->loop, &d->net_poll, podnet_fd(d->net));
	return r < 0 ? r : uv_poll_start(&d->net_poll, UV_READABLE, on_network);
}

/* --- start and end -------------------------------------------------------------------------------------------------------------- */

static void no_more_waiting(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

static void wait_until(struct daemon *d, bool (*done)(const struct daemon *d))
{
	bool late = false;
	uv_timer_t timer;

	(void)uv_timer_init(&d->loop, &timer);
	timer.data = &late;
	uv_timer_start(&timer, no_more_waiting, START_WAIT_MS, 0);
	while (!late && !d->ending && !done(d))
		(void)uv_run(&d->loop, UV_RUN_ONCE);
	uv_timer_stop(&timer);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&d->loop, UV_RUN_NOWAIT); /* lets go of the timer while it is still on this stack */
}

static int open_trash(struct daemon *d)
{
	int fd;

	if (mkdirat(d->state_fd, "trash", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(d->state_fd, "trash", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return janitor_new(&d->loop, fd, &d->janitor);
}

static int start(struct daemon *d)
{
	struct core_config core = { .backoff = d->config->backoff, .node = &d->node };
	int r;

	raise_nofile();
	if ((r = open_directories(d)) < 0 || (r = lock_root(d)) < 0 || (r = open_cgroups(d)) < 0 || (r = load_helpers(d)) < 0 ||
	    (r = open_network(d)) < 0)
		return r;
	fill_plan_context(d);
	if ((r = uv_loop_init(&d->loop)) < 0 || (r = daemon_timer_init(d)) < 0 || (r = open_trash(d)) < 0)
		return r;
	if ((r = images_open(d)) < 0) {
		log_error("opening the image store: %s", strerror(-r));
		return r;
	}
	list_init(&d->ownerships);
	list_init(&d->reaches);
	d->prober = prober_new(&d->loop);
	leftover_init(d);
	(void)uv_idle_init(&d->loop, &d->hosts_idle);
	d->hosts_idle.data = d;
	leases_init(d);
	d->evictor = evict_new(d);
	d->core = core_new(&core);
	d->record = record_new((uint64_t)(d->started_wall / NS_PER_US));
	if ((r = controller_new(d, &d->controller)) < 0 || (r = accept_new(d, &d->acceptor)) < 0 ||
	    (r = watch_new(d, &d->watcher)) < 0 || (r = watch_process(d)) < 0)
		return r;
	/* A pod whose file is gone may stand in another that was written just now: it is started or stopped when that is known. */
	wait_until(d, accept_decided);
	node_refresh(d);
	accept_go_live(d->acceptor);
	controller_load(d);
	if ((r = adopt_all(d)) < 0)
		return r;
	/* The core acts when all anchors have told what runs; one that does not answer holds up only its own pod. */
	wait_until(d, sandbox_all_adopted);
	d->http = http_open(d);
	if (!d->http)
		return -EADDRNOTAVAIL; /* it has said why */
	if ((r = rundir_watch(d)) < 0)
		return r;
	struct event go = daemon_event(EVENT_GO, NULL, NULL, 0);
	d->ready = true;
	daemon_step(d, &go);
	controller_go(d);
	adopt_sweep(d);
	api_ready(d);
	list_foreach(s, &d->sandboxes, struct sandbox, link)
		sources_refresh(d, s->uid);
	configs_tell(d->acceptor);
	return 0;
}

static void close_any(uv_handle_t *h, void *arg _unused_)
{
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void stop(struct daemon *d)
{
	d->http = http_close(d->http);
	d->remove_network = list_empty(&d->sandboxes);
	leftover_remove_all(d);
	sandbox_release_all(d);
	watch_free(d->watcher);
	ownership_close(d);
	reach_close(d);
	images_close(d);
	evict_free(d->evictor);
	janitor_free(d->janitor);
	prober_free(d->prober);
	(void)uv_run(&d->loop, UV_RUN_NOWAIT);
	uv_walk(&d->loop, close_any, NULL);
	(void)uv_run(&d->loop, UV_RUN_DEFAULT);
	cdi_close(d);
	accept_free(d->acceptor);
	controller_free(d->controller);
	core_free(d->core);
	record_free(d->record);
	podnet_close(d->net, d->remove_network);
	ipam_close(d->ipam);
	ipam_close(d->id_leases);
	cgroup_close(d->cgroups);
	filters_free(d->plan_context.filters);
	(void)uv_loop_close(&d->loop);
	free(d->missing.items);
	arena_free(d->arena);
	arena_free(d->node_arena);
}

static bool drained(const struct daemon *d)
{
	return d->config->drain && list_empty(&d->sandboxes);
}

static void open_stdio(void)
{
	/* A daemon started with 0, 1 or 2 closed would give those numbers to the next files it opens. */
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 2);
	if (fd > 2)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	struct config config;
	struct daemon d = { .run_fd = -EBADF,
		            .state_fd = -EBADF,
		            .log_fd = -EBADF,
		            .launch_fd = -EBADF,
		            .anchor_fd = -EBADF,
		            .started_wall = clock_wall() };

	open_stdio();
	int code = config_load(argc, argv, &config);
	if (code >= 0)
		return code;
	log_setup(config.log_level, config.log_json);
	if (geteuid() != 0) {
		log_error("podd must be started by root");
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	d.config = &config;
	d.arena = arena_new();
	list_init(&d.queue);
	list_init(&d.sandboxes);
	int r = start(&d);
	if (r < 0) {
		log_error("podd can't start: %s", strerror(-r));
		return 1;
	}
	notify("READY=1");
	start_watchdog(&d);
	log_info("podd " PODD_VERSION "%s", config.drain ? ": stopping all pods" : " is ready");
	while (!d.ending && !drained(&d))
		(void)uv_run(&d.loop, config.drain ? UV_RUN_ONCE : UV_RUN_DEFAULT);
	notify("STOPPING=1");
	if (drained(&d))
		volumes_release(&d);
	stop(&d);
	config_deinit(&config);
	return d.failed;
}
