/* The HTTP server over socket pairs, with handlers of the test's own. The client end is read and written while the loop turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/http.h"

enum { TURNS_MAX = 2000 };

struct fixture {
	uv_loop_t loop;
	struct http_service service;
	struct http_server *server;
	int client;
	struct buf answer;
	struct http_request *stream; /* of the last stream or upgrade; NULL once it is gone */
	unsigned gone, drained, big;
	struct buf raw;
};

/* --- handlers --- */

static void hello(struct http_request *q, void *arg)
{
	(void)arg;
	http_reply(q, 200, "text/plain", "hello", 5);
}

static void echo(struct http_request *q, void *arg)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	const char *header = http_header(q, "x-test"), *param = url_param(http_url(q), "p");

	(void)arg;
	buf_printf(&out, "%s %s|%s|%s|%s|", http_method(q), http_arg(q, 0), http_arg(q, 1) ? http_arg(q, 1) : "-",
	           param ? param : "-", header ? header : "-");
	buf_append(&out, http_body(q)->data, http_body(q)->len);
	http_reply(q, 200, "text/plain", out.data, out.len);
}

static void big(struct http_request *q, void *arg)
{
	static const char body[512 << 10];

	((struct fixture *)arg)->big++;
	http_reply(q, 200, "application/octet-stream", body, sizeof(body));
}

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->gone++;
	f->stream = NULL;
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained++;
}

static void on_data(const char *data, size_t size, void *arg)
{
	struct fixture *f = arg;

	buf_append(&f->raw, data, size);
}

static const struct http_callbacks callbacks = { .gone = on_gone, .drained = on_drained, .data = on_data };

static void stream(struct http_request *q, void *arg)
{
	struct fixture *f = arg;

	f->stream = q;
	http_stream(q, 200, "text/plain", &callbacks, f);
	http_send(q, "one", 3);
}

static void upgrade(struct http_request *q, void *arg)
{
	struct fixture *f = arg;

	f->stream = q;
	if (http_upgrade(q, "test", &callbacks, f) < 0) {
		f->stream = NULL;
		http_reply(q, 400, "text/plain", "no", 2);
	}
}

static void fail_handler(struct http_request *q, int code, const char *message, void *arg)
{
	(void)arg;
	http_reply(q, code, "text/plain", message, strlen(message));
}

static const struct http_route routes[] = {
	{ "GET", "/hello", hello },   { NULL, "/echo/*", echo },       { NULL, "/echo/*/x/*", echo },
	{ "GET", "/stream", stream }, { "POST", "/upgrade", upgrade }, { "GET", "/big", big },
};

/* --- the client --- */

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	(void)uv_loop_init(&f->loop);
	f->service = (struct http_service){ .routes = routes, .route_count = ARRAY_SIZE(routes), .fail = fail_handler, .arg = f };
	f->server = http_new(&f->loop, &f->service);
	f->client = -EBADF;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)fd_close(f->client);
	f->server = http_close(f->server);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	int r = uv_loop_close(&f->loop); /* EBUSY if a handle was forgotten */
	buf_deinit(&f->answer);
	buf_deinit(&f->raw);
	test_free(f);
	return r;
}

static void connect_client(struct fixture *f)
{
	int pair[2];

	(void)fd_close(f->client);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(http_serve(f->server, pair[0]), 0);
	f->client = pair[1];
	assert_int_equal(fcntl(f->client, F_SETFL, O_NONBLOCK), 0);
	buf_clear(&f->answer);
}

static void turn(struct fixture *f)
{
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Reads what is there. False at the end of the connection. */
static bool receive(struct fixture *f)
{
	char data[4096];
	ssize_t n = read(f->client, data, sizeof(data));

	if (n > 0)
		buf_append(&f->answer, data, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Sends and lets the loop turn until the answer holds `want`, or the connection ends (want NULL). */
static void ask(struct fixture *f, const void *request, size_t size, const char *want)
{
	const char *p = request;

	for (int i = 0; i < TURNS_MAX; i++) {
		ssize_t n = size ? send(f->client, p, size, MSG_NOSIGNAL) : 0;
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN) {
			size = 0; /* the server has closed: what it said before is still there */
		}
		turn(f);
		bool open = receive(f);
		if (want ? strstr(buf_str(&f->answer), want) != NULL : !open)
			return;
	}
	fail_msg("no \"%s\" in \"%s\"", want ? want : "end", buf_str(&f->answer));
}

static void ask_text(struct fixture *f, const char *request, const char *want)
{
	ask(f, request, strlen(request), want);
}

/* --- tests --- */

static void a_connection_serves_many_requests(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /hello HTTP/1.1\r\n\r\n", "\r\n\r\nhello");
	assert_non_null(strstr(f->answer.data, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(f->answer.data, "Content-Length: 5\r\n"));
	buf_clear(&f->answer);
	ask_text(f, "GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, "Connection: close\r\n"));
	assert_non_null(strstr(f->answer.data, "\r\n\r\nhello"));
}

static void requests_may_come_together_or_in_pieces(void **state)
{
	static const char two[] =
		"POST /echo/a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyzGET /echo/b HTTP/1.1\r\nConnection: close\r\n\r\n";
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, two, NULL);
	assert_non_null(strstr(f->answer.data, "POST a|-|-|-|xyz"));
	assert_non_null(strstr(f->answer.data, "GET b|-|-|-|"));
	connect_client(f);
	for (size_t i = 0; i < sizeof(two) - 1; i++) {
		assert_int_equal(send(f->client, two + i, 1, MSG_NOSIGNAL), 1);
		turn(f);
	}
	ask_text(f, "", NULL);
	assert_non_null(strstr(f->answer.data, "POST a|-|-|-|xyz"));
	assert_non_null(strstr(f->answer.data, "GET b|-|-|-|"));
}

static void answers_that_nobody_reads_are_not_made(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf requests = BUF_NULL;
	char data[64 << 10];

	for (int i = 0; i < 20; i++)
		buf_puts(&requests, "GET /big HTTP/1.1\r\n\r\n");
	connect_client(f);
	assert_int_equal(send(f->client, requests.data, requests.len, MSG_NOSIGNAL), requests.len);
	for (int i = 0; i < 50; i++)
		turn(f);
	assert_int_equal(f->big, 1);
	for (int i = 0; i < TURNS_MAX && f->big < 20; i++) {
		(void)!read(f->client, data, sizeof(data));
		turn(f);
	}
	assert_int_equal(f->big, 20); /* they wait; none is lost */
}

static void routes_have_arguments(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /echo/a%2Fb/x/c/?p=1+2 HTTP/1.1\r\nX-Test: yes\r\n\r\n", "GET a/b|c|1 2|yes|");
	ask_text(f, "GET /echo/a/y/c HTTP/1.1\r\n\r\n", "404 page not found");
	ask_text(f, "GET / HTTP/1.1\r\n\r\n", "404 page not found");
	ask_text(f, "DELETE /hello HTTP/1.1\r\n\r\n", "405 Method Not Allowed");
}

static void head_has_no_body(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "HEAD /hello HTTP/1.1\r\nConnection: close\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, "Content-Length: 5\r\n"));
	assert_null(strstr(f->answer.data, "hello"));
}

static void limits_are_answered_and_end_the_connection(void **state)
{
	_cleanup_buf_ struct buf large = BUF_NULL;
	struct fixture *f = *state;

	for (int i = 0; i < HTTP_HEAD_MAX; i++)
		buf_putc(&large, 'a');
	_cleanup_buf_ struct buf head = BUF_NULL;
	buf_printf(&head, "GET /hello HTTP/1.1\r\nX: %s\r\n\r\n", large.data);
	connect_client(f);
	ask(f, head.data, head.len, NULL);
	assert_non_null(strstr(f->answer.data, " 431 "));
	assert_non_null(strstr(f->answer.data, "16384 bytes"));

	connect_client(f);
	ask_text(f, "POST /echo/a HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, " 413 "));

	connect_client(f);
	ask_text(f, "nonsense\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, " 400 "));

	connect_client(f);
	ask_text(f, "GET /%00 HTTP/1.1\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, " 400 "));
}

static void a_chunked_body_is_bounded_too(void **state)
{
	_cleanup_buf_ struct buf request = BUF_NULL;
	struct fixture *f = *state;

	buf_puts(&request, "POST /echo/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 17; i++) { /* 17 x 64 KiB */
		buf_puts(&request, "10000\r\n");
		for (int j = 0; j < 0x10000; j++)
			buf_putc(&request, 'b');
		buf_puts(&request, "\r\n");
	}
	buf_puts(&request, "0\r\n\r\n");
	connect_client(f);
	ask(f, request.data, request.len, NULL);
	assert_non_null(strstr(f->answer.data, " 413 "));
}

static void a_stream_comes_in_chunks_and_ends(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /stream HTTP/1.1\r\n\r\n", "3\r\none\r\n");
	http_send(f->stream, "two!", 4);
	ask_text(f, "", "4\r\ntwo!\r\n");
	assert_true(f->drained > 0);
	assert_int_equal(f->gone, 0);
	http_finish(f->stream);
	assert_int_equal(f->gone, 0); /* never from within */
	ask_text(f, "", NULL);
	assert_true(str_ends(f->answer.data, "0\r\n\r\n"));
	turn(f);
	assert_int_equal(f->gone, 1);
}

static void a_client_that_leaves_is_noticed(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /stream HTTP/1.1\r\n\r\n", "one");
	f->client = fd_close(f->client);
	for (int i = 0; i < TURNS_MAX && !f->gone; i++)
		turn(f);
	assert_int_equal(f->gone, 1);
}

static void a_client_that_does_not_read_is_closed(void **state)
{
	static const char block[64 << 10];
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /stream HTTP/1.1\r\n\r\n", "one");
	size_t sent = 0;
	while (f->stream && !f->gone && sent < (64 << 20)) {
		http_send(f->stream, block, sizeof(block));
		sent += sizeof(block);
		turn(f);
	}
	assert_int_equal(f->gone, 1);
	assert_true(sent >= HTTP_QUEUE_MAX);
}

static void an_upgrade_speaks_another_protocol(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "POST /upgrade HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nearly", "101 Switching Protocols");
	http_send(f->stream, "raw!", 4);
	ask_text(f, "more", "\r\n\r\nraw!");
	for (int i = 0; i < TURNS_MAX && f->raw.len < 9; i++)
		turn(f);
	assert_string_equal(buf_str(&f->raw), "earlymore");
	http_finish(f->stream);
	ask_text(f, "", NULL);
	assert_null(strstr(f->answer.data, "0\r\n\r\n"));
}

static void a_paused_client_waits_and_is_noticed_when_it_leaves(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "POST /upgrade HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n", "101");
	http_pause(f->stream, true);
	assert_int_equal(send(f->client, "later", 5, MSG_NOSIGNAL), 5);
	for (int i = 0; i < 20; i++)
		turn(f);
	assert_int_equal(f->raw.len, 0);
	http_pause(f->stream, false);
	for (int i = 0; i < TURNS_MAX && f->raw.len < 5; i++)
		turn(f);
	assert_string_equal(buf_str(&f->raw), "later");
	http_pause(f->stream, true);
	assert_int_equal(send(f->client, "never read", 10, MSG_NOSIGNAL), 10);
	f->client = fd_close(f->client);
	for (int i = 0; i < TURNS_MAX && !f->gone; i++)
		turn(f);
	assert_int_equal(f->gone, 1);
}

static void another_protocol_is_refused(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "POST /upgrade HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", NULL);
	assert_non_null(strstr(f->answer.data, " 400 "));
	connect_client(f);
	ask_text(f, "POST /upgrade HTTP/1.1\r\n\r\n", "400 Bad Request");
}

static void connections_are_bounded(void **state)
{
	int clients[HTTP_CONNECTIONS_MAX], pair[2];
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(http_serve(f->server, pair[0]), 0);
		clients[i] = pair[1];
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(http_serve(f->server, pair[0]), -EUSERS);
	(void)close(pair[1]);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		(void)close(clients[i]);
	for (int i = 0; i < 200; i++)
		turn(f);
	connect_client(f); /* there is room again */
	ask_text(f, "GET /hello HTTP/1.1\r\n\r\n", "hello");
}

/* Nothing may wake podd while nobody is connected. */
static void no_timer_runs_without_a_connection(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	ask_text(f, "GET /hello HTTP/1.1\r\n\r\n", "hello");
	for (int i = 0; i < 20; i++)
		turn(f);
	assert_true(uv_backend_timeout(&f->loop) > 0); /* the idle connection's */
	f->client = fd_close(f->client);
	for (int i = 0; i < 20; i++)
		turn(f);
	assert_int_equal(uv_loop_alive(&f->loop), 0);
}

static void the_socket_is_roots_alone(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/podd-test-http-XXXXXX";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;

	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mode_t old = umask(0);
	assert_int_equal(http_listen(f->server, dirfd, "podd.sock"), 0);
	(void)umask(old);
	assert_int_equal(fstatat(dirfd, "podd.sock", &st, 0), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/podd.sock", dir);
	f->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->client, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(f->client, F_SETFL, O_NONBLOCK), 0);
	ask_text(f, "GET /hello HTTP/1.1\r\n\r\n", "hello");
	f->server = http_close(f->server);
	assert_int_equal(fstatat(dirfd, "podd.sock", &st, 0), -1); /* it takes its name along */
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_connection_serves_many_requests),
		TEST(requests_may_come_together_or_in_pieces),
		TEST(answers_that_nobody_reads_are_not_made),
		TEST(routes_have_arguments),
		TEST(head_has_no_body),
		TEST(limits_are_answered_and_end_the_connection),
		TEST(a_chunked_body_is_bounded_too),
		TEST(a_stream_comes_in_chunks_and_ends),
		TEST(a_client_that_leaves_is_noticed),
		TEST(a_client_that_does_not_read_is_closed),
		TEST(an_upgrade_speaks_another_protocol),
		TEST(a_paused_client_waits_and_is_noticed_when_it_leaves),
		TEST(another_protocol_is_refused),
		TEST(connections_are_bounded),
		TEST(no_timer_runs_without_a_connection),
		TEST(the_socket_is_roots_alone),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as podd does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
