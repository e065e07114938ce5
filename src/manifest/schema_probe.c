/* Probes and hooks. */
#include "manifest/schema_rows.h"

static const struct field exec_fields[] = {
	BUILT("command", STRINGS, MUST, exec_action, command, UPDATE, "Program and arguments; no shell, no expansion.",
	      .required = true),
};
static const struct schema schema_exec = SCHEMA("ExecAction", exec_fields, sizeof(struct exec_action), .starts_with_set = true);

static const struct field header_fields[] = {
	BUILT("name", STRING, MUST, http_header, name, UPDATE, "Name of the header.", .required = true, .check = check_header_name),
	BUILT("value", STRING, MUST, http_header, value, UPDATE, "Its value.", .fallback = "", .check = check_header_value),
};
static const struct schema schema_header = SCHEMA("HTTPHeader", header_fields, sizeof(struct http_header));

static const struct field http_get_fields[] = {
	BUILT("path", STRING, MUST, http_get, path, UPDATE, "Path of the request; / by default.", .fallback = "/"),
	BUILT("port", INT_OR_STRING, MUST, http_get, port, UPDATE, "Number or name of the port.", .required = true,
	      .check = check_port_or_name),
	BUILT("host", STRING, MUST, http_get, host, UPDATE, "Address or name; the pod's by default.", .check = check_probe_host),
	BUILT("scheme", ENUM, SHOULD, http_get, scheme, UPDATE, "HTTP or HTTPS; certificates are not verified.",
	      .values = &http_scheme_words, .fallback = "HTTP"),
	BUILT("httpHeaders", OBJECTS, MUST, http_get, headers, UPDATE, "Headers of the request.", .object = &schema_header),
	PLANNED("protocol", STRING, LATER, UPDATE, "Version of HTTP.", .choices = "HTTP1|HTTP2", .neutral = "HTTP1"),
};
static const struct schema schema_http_get =
	SCHEMA("HTTPGetAction", http_get_fields, sizeof(struct http_get), .starts_with_set = true);

static const struct field tcp_socket_fields[] = {
	BUILT("port", INT_OR_STRING, MUST, tcp_socket, port, UPDATE, "Number or name of the port.", .required = true,
	      .check = check_port_or_name),
	BUILT("host", STRING, MUST, tcp_socket, host, UPDATE, "Address or name; the pod's by default.", .check = check_probe_host),
};
static const struct schema schema_tcp_socket =
	SCHEMA("TCPSocketAction", tcp_socket_fields, sizeof(struct tcp_socket), .starts_with_set = true);

static const struct field grpc_fields[] = {
	BUILT("port", INT32, SHOULD, grpc_action, port, UPDATE, "Number of the port.", .required = true, .check = check_port),
	BUILT("service", STRING, SHOULD, grpc_action, service, UPDATE, "Service to ask about.", .fallback = ""),
	BUILT("mode", STRING, LATER, grpc_action, mode, UPDATE, "Plaintext or TLS.", .choices = "Plaintext|TLS"),
};
static const struct schema schema_grpc = SCHEMA("GRPCAction", grpc_fields, sizeof(struct grpc_action), .starts_with_set = true);

#define HANDLER OF("ProbeHandler")

static const struct field probe_fields[] = {
	BUILT("exec", OBJECT, MUST, probe, exec, UPDATE, "A command inside the container; 0 is success.", HANDLER,
	      .object = &schema_exec),
	BUILT("httpGet", OBJECT, MUST, probe, http_get, UPDATE, "A request; 200 to 399 is success.", HANDLER,
	      .object = &schema_http_get),
	BUILT("tcpSocket", OBJECT, MUST, probe, tcp_socket, UPDATE, "A connection.", HANDLER, .object = &schema_tcp_socket),
	BUILT("grpc", OBJECT, SHOULD, probe, grpc, UPDATE, "A call of gRPC's health service.", HANDLER, .object = &schema_grpc),
	BUILT("initialDelaySeconds", INT32, MUST, probe, delay, UPDATE, "Time from the start to the first probe.",
	      .check = check_not_negative_number),
	BUILT("timeoutSeconds", INT32, MUST, probe, timeout, UPDATE, "Time after which a probe has failed.", .fallback = "1",
	      .check = check_not_negative_number),
	BUILT("periodSeconds", INT32, MUST, probe, period, UPDATE, "Time between probes.", .fallback = "10",
	      .check = check_not_negative_number),
	BUILT("successThreshold", INT32, MUST, probe, successes, UPDATE, "Successes in a row that count; 1 but for readiness.",
	      .fallback = "1", .check = check_not_negative_number),
	BUILT("failureThreshold", INT32, MUST, probe, failures, UPDATE, "Failures in a row that count.", .fallback = "3",
	      .check = check_not_negative_number),
	BUILT("terminationGracePeriodSeconds", INT64, SHOULD, probe, grace_seconds, UPDATE,
	      "The pod's grace period, for a stop that the probe causes.", .check = check_positive_number),
};
const struct schema schema_probe =
	SCHEMA("Probe", probe_fields, sizeof(struct probe), .starts_with_set = true, .rule = rule_one_handler);

static const struct field sleep_fields[] = {
	BUILT("seconds", INT64, MUST, sleep_action, seconds, UPDATE, "Time to wait.", .required = true,
	      .check = check_not_negative_number),
};
static const struct schema schema_sleep = SCHEMA("SleepAction", sleep_fields, sizeof(struct sleep_action), .starts_with_set = true);

static const struct field hook_fields[] = {
	BUILT("exec", OBJECT, MUST, hook, exec, UPDATE, "A command inside the container.", .object = &schema_exec),
	BUILT("httpGet", OBJECT, SHOULD, hook, http_get, UPDATE, "A request; any answer is success.", .object = &schema_http_get),
	NEVER("tcpSocket", OBJECT, "A connection; does nothing in Kubernetes.", .object = &schema_tcp_socket,
	      .hint = "use exec or httpGet"),
	BUILT("sleep", OBJECT, MUST, hook, sleep, UPDATE, "Waits.", .object = &schema_sleep),
};
static const struct schema schema_hook =
	SCHEMA("LifecycleHandler", hook_fields, sizeof(struct hook), .starts_with_set = true, .rule = rule_one_handler);

#define SIGNALS                                                                                                                    \
	"SIGABRT|SIGALRM|SIGBUS|SIGCHLD|SIGCLD|SIGCONT|SIGFPE|SIGHUP|SIGILL|SIGINT|SIGIO|SIGIOT|SIGKILL|SIGPIPE|SIGPOLL|SIGPROF|"  \
	"SIGPWR|SIGQUIT|SIGSEGV|SIGSTKFLT|SIGSTOP|SIGSYS|SIGTERM|SIGTRAP|SIGTSTP|SIGTTIN|SIGTTOU|SIGURG|SIGUSR1|SIGUSR2|"          \
	"SIGVTALRM|"                                                                                                               \
	"SIGWINCH|SIGXCPU|SIGXFSZ|SIGRTMIN|SIGRTMIN+1|SIGRTMIN+2|SIGRTMIN+3|SIGRTMIN+4|SIGRTMIN+5|SIGRTMIN+6|SIGRTMIN+7|SIGRTMIN+" \
	"8|"                                                                                                                       \
	"SIGRTMIN+9|SIGRTMIN+10|SIGRTMIN+11|SIGRTMIN+12|SIGRTMIN+13|SIGRTMIN+14|SIGRTMIN+15|SIGRTMAX-14|SIGRTMAX-13|SIGRTMAX-12|"  \
	"SIGRTMAX-11|SIGRTMAX-10|SIGRTMAX-9|SIGRTMAX-8|SIGRTMAX-7|SIGRTMAX-6|SIGRTMAX-5|SIGRTMAX-4|SIGRTMAX-3|SIGRTMAX-2|"         \
	"SIGRTMAX-1|"                                                                                                              \
	"SIGRTMAX"

static const struct field lifecycle_fields[] = {
	BUILT("postStart", OBJECT, MUST, lifecycle, post_start, UPDATE, "Runs after the start; its failure stops the container.",
	      .object = &schema_hook),
	BUILT("preStop", OBJECT, MUST, lifecycle, pre_stop, UPDATE, "Runs before the stop signal, inside the grace period.",
	      .object = &schema_hook),
	BUILT("stopSignal", STRING, MUST, lifecycle, stop_signal, UPDATE,
	      "The stop signal, as SIGQUIT; the image's by default, else SIGTERM.", .choices = SIGNALS),
};
const struct schema schema_lifecycle = SCHEMA("Lifecycle", lifecycle_fields, sizeof(struct lifecycle));
