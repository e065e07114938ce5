/* Removal of trees that somebody else has filled. */
#include "base/fd.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>

/* Each level has a file, and a directory whose name is one that the removal itself uses. */
static void nest(const char *top, unsigned depth)
{
	assert_int_equal(mkdir(top, 0700), 0);
	assert_int_equal(chdir(top), 0);
	for (unsigned i = 0; i < depth; i++) {
		_cleanup_close_ int file = open("file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(file >= 0);
		assert_int_equal(mkdir(".lifted-0", 0700), 0);
		assert_int_equal(mkdir("deep", 0700), 0);
		assert_int_equal(chdir("deep"), 0);
	}
	assert_int_equal(chdir("/"), 0);
}

static void deeper_than_descriptors(void **state)
{
	char parent[] = "/tmp/test_fd.XXXXXX";
	struct rlimit old;

	(void)state;
	assert_non_null(mkdtemp(parent));
	_cleanup_close_ int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(parent), 0);
	nest("top", 2000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	struct rlimit few = { 400, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(tree_remove(fd, "top"), 0);
	assert_int_equal(tree_remove(fd, "top"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rmdir(parent), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deeper_than_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
