/* podd, the libuv shell around the core. A callback makes an event and calls daemon_step(); the core decides; the effects are carried
 * out here. One thread, no libuv thread pool: what could block is a short-lived helper process.
 *
 *   main.c        flags, signals, start-up order, sd_notify; config.c: podd.yaml
 *   daemon.c      daemon_step(): event -> core -> effects; the one timer
 *   effects.c     each effect, carried out
 *   record.c      events that people read
 *   rundir.c      the end of a podd whose /run/podd was cleaned
 *   node.c        what pods can ask of this machine; leases.c: addresses; census.c: what is there, matched to pods
 *   controller.c  jobs: the machine of core/jobs.h; keep.c: small files that must survive podd, also when the disk is full
 *   helper.c      what may block, in a short-lived child; janitor.c: fsync, removal of trees
 *
 *   intake/       watch.c: manifest directories; accept.c: which documents are wanted; store.c: last good versions; configs.c: ConfigMaps
 *   pod/          sandbox*.c: directories, cgroups, anchor, network; teardown.c: its end; anchor.c: the connection to one anchor; adopt.c:
 *                 what is found at start; launch.c: one start of a container, slots.c: descriptors for its plan, runtime.c: by an OCI
 *                 runtime; session.c: exec; hook.c; volumes.c, sources.c, etcfiles.c, rootfs.c: what is mounted; limits.c; evict.c
 *   image/        images.c: the image of a start; import.c, dropin.c, prune.c, origin.c, startimage.c: see images.h
 *   probe/        probe.c: probes; check.c: what probes and hooks ask over the network, by httpget.c or prober.c (podd-probe)
 *   api/          http*.c: HTTP on the socket; api*.c: what is served there; feed.c: watches
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "base/list.h"
#include "core/core.h"
#include "daemon/config.h"
#include "net/ipam.h"
#include "net/podnet.h"
#include "plan/compile.h"
#include "sys/cgroup.h"

struct sandbox;
struct watcher;
struct acceptor;
struct record;
struct http_server;
struct janitor;
struct prober;
struct images;
struct cdi;
struct controller;
struct evictor;

struct daemon {
	struct config *config; /* SIGHUP changes it, nothing else */
	uv_loop_t loop;
	uv_poll_t timer_poll; /* the core's next deadline */
	int timer_fd;         /* boot time; not armed when nothing is pending */
	int64_t armed;
	struct core *core;
	struct core_node node; /* node.c; on node_arena */
	struct arena *node_arena;
	struct cgroup_host *cgroups; /* NULL: no cgroups at all; limits can't be enforced */
	struct podnet *net;
	uv_poll_t net_poll;
	uv_signal_t signals[3];
	uv_poll_t rundir_poll;
	int rundir_inotify;
	uv_timer_t watchdog; /* of systemd, if it asks for one */
	struct ipam *ipam;
	struct ipam *id_leases;  /* ranges of user ids, numbered as addresses */
	uv_timer_t leases_timer; /* until changed leases are written */
	struct list sandboxes;   /* of struct sandbox.link */
	struct watcher *watcher;
	struct acceptor *acceptor;
	struct controller *controller;
	struct record *record;
	struct http_server *http;
	struct janitor *janitor;
	struct prober *prober;
	struct images *images;
	struct cdi *cdi; /* NULL until a pod names a device */
	struct evictor *evictor;
	struct string_list hosts_changed; /* namespaces whose hosts file is to be written */
	uv_idle_t hosts_idle;
	struct list ownerships; /* ownership.c */
	struct list reaches;    /* reach.c */
	struct list leftovers;  /* leftover.c */
	uv_idle_t leftovers_idle;
	struct plan_context plan_context;
	struct string_list missing;   /* what this host lacks and what follows, one line each, for `podctl status` */
	struct arena *arena;          /* of `missing` */
	int run_fd, state_fd, log_fd; /* <root>/run/podd, <root>/var/lib/podd, <root>/var/log/pods */
	const char *run_path;         /* of run_fd, for an anchor that has to make its socket anew */
	int launch_fd, anchor_fd;     /* the two programs: sys/program.h */
	bool ready;                   /* EVENT_GO was given */
	bool stepping;
	bool ending;         /* SIGTERM or SIGINT came, or... */
	bool failed;         /* podd can't go on */
	bool remove_network; /* nothing of ours is left that needs it */
	struct list queue;   /* events that came up while an effect was carried out */
	int64_t started_wall;
};

/* Gives one event to the core and carries out the effects. `boot` and `wall` of the event are filled in here. May be called from
 * within an effect: the event is queued then. The pod of EVENT_POD_SET is referenced. */
void daemon_step(struct daemon *d, const struct event *e);

int daemon_timer_init(struct daemon *d);
void daemon_arm_timer(struct daemon *d); /* a deadline may have changed */

/* Starts an event about the pod `uid` (and one start of a container, if `container` is not NULL). */
struct event daemon_event(enum event_type type, const char *uid, const char *container, uint32_t number);

/* A line for people in the pod's events, and in the log. `pod` "" for the node. */
void daemon_report(struct daemon *d, const char *uid, const char *container, bool normal, const char *reason, const char *fmt, ...)
	_printf_(6, 7);
