#include "plan/hide.h"
#include "base/str.h"

static const char *const masked_paths[] = {
	"/proc/acpi",        "/proc/asound",      "/proc/interrupts",     "/proc/kallsyms",
	"/proc/kcore",       "/proc/keys",        "/proc/kmsg",           "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi",        "/proc/timer_list",     "/proc/timer_stats",
	"/sys/firmware",     "/sys/kernel/debug", "/sys/kernel/security", "/sys/devices/virtual/powercap",
};

static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

void hide(struct build *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++) {
		uint32_t s3 = build_string(b, masked_paths[i]);
		build_op(b, PLAN_MASK)->s3 = s3;
	}
	for (size_t i = 0; i < ARRAY_SIZE(readonly_paths); i++) {
		uint32_t s3 = build_string(b, readonly_paths[i]);
		build_op(b, PLAN_READONLY)->s3 = s3;
	}
}
