/* Trees as streams: what is sent arrives, and what a hostile sender says harms nobody. */
#include "wire/tree.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/fd.h"

static char top[] = "/tmp/test_tree.XXXXXX";
static char told[512];
static struct tree tree; /* large */

static void trouble(const char *path, const char *text)
{
	(void)snprintf(told, sizeof(told), "%s: %s", path, text);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top + sizeof(top) - 7, "XXXXXX");
	told[0] = '\0';
	if (!mkdtemp(top) || chdir(top) < 0)
		return -1;
	return mkdir("in", 0755) == 0 && mkdir("out", 0755) == 0 && mkdir("canary", 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 ? tree_remove(AT_FDCWD, top) : -1;
}

static void record(struct buf *b, enum tree_type type, const void *data, size_t size)
{
	const unsigned char head[TREE_HEADER_SIZE] = { (unsigned char)type, (unsigned char)(size >> 24),
		                                       (unsigned char)(size >> 16), (unsigned char)(size >> 8),
		                                       (unsigned char)size };

	buf_append(b, head, sizeof(head));
	buf_append(b, data, size);
}

static void entry(struct buf *b, enum tree_type type, unsigned mode, const char *name)
{
	char data[600] = { (char)(mode >> 8), (char)mode };

	strcpy(data + 2, name);
	record(b, type, data, 2 + strlen(name));
}

static void link_entry(struct buf *b, const char *name, const char *text)
{
	char data[600] = { 0 };

	strcpy(data + 2, name);
	strcpy(data + 2 + strlen(name) + 1, text);
	record(b, TREE_LINK, data, 2 + strlen(name) + 1 + strlen(text));
}

static void file(struct buf *b, unsigned mode, const char *name)
{
	entry(b, TREE_FILE, mode, name);
	record(b, TREE_DATA, "bad", 3);
	record(b, TREE_END, "", 0);
}

/* A whole stream, received in out/ under the name x. */
static int receive(struct buf *b)
{
	_cleanup_close_ int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, b->data, b->len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_clear(b);
	tree = (struct tree){ .stream = fd, .trouble = trouble };
	return tree_receive(&tree, "out", "x");
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* No name leads anywhere but to an entry of its own directory. */
static void names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "/", "../canary/y", "a/b", "/etc/y", "canary/../y" };
	_cleanup_buf_ struct buf b = BUF_NULL;
	char longest[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			entry(&b, TREE_DIRECTORY, 0755, "");
			if (kind == 0)
				file(&b, 0644, bad[i]);
			else if (kind == 1)
				entry(&b, TREE_DIRECTORY, 0755, bad[i]);
			else
				link_entry(&b, bad[i], "text");
			assert_int_equal(receive(&b), -EPROTO);
		}
	}
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	entry(&b, TREE_DIRECTORY, 0755, "");
	file(&b, 0644, longest);
	assert_int_equal(receive(&b), -EPROTO);
	/* The name of the whole is the receiver's choice, whatever is sent. */
	file(&b, 0644, "../canary/y");
	assert_int_equal(receive(&b), 0);
	assert_true(tree.incomplete); /* out/x is a directory by now */
	assert_false(there("canary/y"));
	assert_int_equal(rmdir("canary"), 0);
}

/* A symlink of the stream, then something through it. */
static void links(void **state)
{
	_cleanup_buf_ struct buf b = BUF_NULL;
	char text[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s/canary", top);
	entry(&b, TREE_DIRECTORY, 0755, "");
	link_entry(&b, "d", text);
	entry(&b, TREE_DIRECTORY, 0777, "d"); /* mkdir says it exists */
	file(&b, 0644, "y");
	record(&b, TREE_END, "", 0);
	link_entry(&b, "f", "../../canary/y");
	file(&b, 0644, "f"); /* replaces it */
	record(&b, TREE_END, "", 0);
	assert_int_equal(receive(&b), 0);
	assert_true(tree.incomplete);
	assert_true(strncmp(told, "out/x/d: ", 9) == 0);
	assert_false(there("canary/y"));
	struct stat st;
	assert_int_equal(lstat("out/x/f", &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 3);
	assert_int_equal(stat("canary", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void modes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_NULL;
	struct stat st;

	(void)state;
	file(&b, 07751, "");
	assert_int_equal(receive(&b), 0);
	assert_int_equal(stat("out/x", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	assert_false(tree.incomplete);
}

static void limits(void **state)
{
	static const unsigned char huge[] = { TREE_DATA, 0, 1, 0, 1 }, odd[] = { 9, 0, 0, 0, 0 };
	_cleanup_buf_ struct buf b = BUF_NULL;

	(void)state;
	entry(&b, TREE_FILE, 0644, "");
	buf_append(&b, huge, sizeof(huge));
	assert_int_equal(receive(&b), -EPROTO);
	buf_append(&b, odd, sizeof(odd));
	assert_int_equal(receive(&b), -EPROTO);
	record(&b, TREE_FILE, "", 0);
	assert_int_equal(receive(&b), -EPROTO);
	record(&b, TREE_LINK, "\0\0x", 3);
	assert_int_equal(receive(&b), -EPROTO);
	entry(&b, TREE_FILE, 0644, "");
	record(&b, TREE_DATA, "x", 1);
	assert_int_equal(receive(&b), -ENODATA); /* it was cut off */
	assert_int_equal(unlink("out/x"), 0);
	for (unsigned i = 0; i < TREE_DEPTH_MAX + 2; i++)
		entry(&b, TREE_DIRECTORY, 0755, "d");
	assert_int_equal(receive(&b), -EPROTO);
}

static void round_trip(void **state)
{
	_cleanup_close_ int fd = memfd_create("stream", MFD_CLOEXEC);
	char text[16];

	(void)state;
	assert_int_equal(mkdir("in/d", 0750), 0);
	assert_int_equal(symlink("../nowhere", "in/d/l"), 0);
	_cleanup_close_ int f = open("in/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_int_equal(fd_write_all(f, "hello", 5), 0);
	assert_int_equal(mkfifo("in/p", 0600), 0);
	tree = (struct tree){ .stream = fd, .trouble = trouble };
	assert_int_equal(tree_send(&tree, "in"), 0);
	assert_string_equal(told, "in/p: neither a file nor a directory nor a symlink, left out");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	tree = (struct tree){ .stream = fd, .trouble = trouble };
	assert_int_equal(tree_receive(&tree, "out/new", "unused"), 0);
	assert_int_equal(readlink("out/new/d/l", text, sizeof(text)), 10);
	struct stat st;
	assert_int_equal(stat("out/new/f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat("out/new/d", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_false(there("out/new/p"));
}

/* Whatever bytes come, the canary stays. */
static void noise(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		_cleanup_buf_ struct buf b = BUF_NULL;
		entry(&b, TREE_DIRECTORY, 0755, "");
		link_entry(&b, "l", "../../canary");
		entry(&b, TREE_DIRECTORY, 0755, "d");
		file(&b, 0644, "f");
		record(&b, TREE_END, "", 0);
		record(&b, TREE_END, "", 0);
		for (unsigned k = 0; k < 3; k++)
			b.data[(unsigned)rand_r(&seed) % b.len] = (char)rand_r(&seed);
		(void)receive(&b);
	}
	assert_int_equal(rmdir("canary"), 0); /* empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(links, setup, teardown),
		cmocka_unit_test_setup_teardown(modes, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(noise, setup, teardown),
		cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
