/* Leases: handed out, kept over a restart, survived when the file is damaged. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h> /* wants the others before it */

#include "base/fd.h"
#include "net/ipam.h"

static int dir = -EBADF;
static char dir_path[] = "/tmp/podd-test-ipam-XXXXXX";

static struct in_addr addr(const char *s)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, s, &a), 1);
	return a;
}

static struct ipam *open_range(const char *network, unsigned prefix)
{
	struct ipam *i;

	assert_int_equal(ipam_open(dir, "leases", addr(network), prefix, &i), 0);
	return i;
}

static void assert_lease(struct ipam *i, const char *uid, const char *want)
{
	struct in_addr a;
	char text[INET_ADDRSTRLEN];

	assert_int_equal(ipam_lease(i, uid, &a), 0);
	assert_string_equal(inet_ntop(AF_INET, &a, text, sizeof(text)), want);
}

static int start(void **state)
{
	(void)state;
	(void)unlinkat(dir, "leases", 0);
	(void)unlinkat(dir, "leases.bad", 0);
	return 0;
}

static void test_lease(void **state)
{
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 16);

	(void)state;
	assert_false(ipam_dirty(i));
	assert_lease(i, "a", "10.88.0.2"); /* .1 is the gateway */
	assert_true(ipam_dirty(i));
	assert_lease(i, "b", "10.88.0.3");
	assert_lease(i, "a", "10.88.0.2");
	assert_int_equal(ipam_find(i, "b", &a), 0);
	assert_int_equal(a.s_addr, addr("10.88.0.3").s_addr);
	assert_int_equal(ipam_find(i, "c", &a), -ENOENT);
	ipam_close(i);
}

static void test_an_address_rests(void **state)
{
	struct ipam *i = open_range("10.88.0.0", 29); /* .2 to .6 */

	(void)state;
	assert_lease(i, "a", "10.88.0.2");
	assert_int_equal(ipam_release(i, "a"), 0);
	assert_int_equal(ipam_release(i, "a"), 0);
	assert_lease(i, "b", "10.88.0.3");
	assert_lease(i, "c", "10.88.0.4");
	i = ipam_close(i);
	i = open_range("10.88.0.0", 29); /* also over a restart */
	assert_lease(i, "d", "10.88.0.5");
	assert_lease(i, "e", "10.88.0.6");
	assert_lease(i, "f", "10.88.0.2");
	ipam_close(i);
}

static void test_exhaustion(void **state)
{
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 30); /* .2 alone */

	(void)state;
	assert_lease(i, "a", "10.88.0.2");
	assert_int_equal(ipam_lease(i, "b", &a), -ENOSPC);
	assert_lease(i, "a", "10.88.0.2");
	ipam_release(i, "a");
	assert_lease(i, "b", "10.88.0.2");
	ipam_close(i);
}

static void test_kept_over_a_restart(void **state)
{
	struct stat st;
	struct ipam *i = open_range("10.88.0.0", 16);

	(void)state;
	assert_lease(i, "a", "10.88.0.2");
	assert_lease(i, "b", "10.88.0.3");
	ipam_release(i, "a");
	assert_int_equal(ipam_save(i), 0);
	assert_false(ipam_dirty(i));
	assert_int_equal(fstatat(dir, "leases", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	i = ipam_close(i);
	i = open_range("10.88.0.0", 16);
	assert_false(ipam_damaged(i));
	assert_false(ipam_dirty(i));
	assert_lease(i, "b", "10.88.0.3");
	assert_lease(i, "c", "10.88.0.4");
	ipam_close(i);
}

static void test_another_range(void **state)
{
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 16);

	(void)state;
	assert_lease(i, "a", "10.88.0.2");
	i = ipam_close(i);
	i = open_range("10.99.0.0", 24);
	assert_false(ipam_damaged(i));
	assert_int_equal(ipam_find(i, "a", &a), -ENOENT);
	assert_lease(i, "a", "10.99.0.2");
	ipam_close(i);
}

static void test_claim(void **state)
{
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 24);

	(void)state;
	assert_int_equal(ipam_claim(i, "a", addr("10.88.0.9")), 0);
	assert_int_equal(ipam_claim(i, "a", addr("10.88.0.9")), 0);
	assert_int_equal(ipam_claim(i, "b", addr("10.88.0.9")), -EEXIST);
	assert_int_equal(ipam_find(i, "b", &a), -ENOENT);
	assert_int_equal(ipam_claim(i, "b", addr("10.88.0.1")), -ERANGE);
	assert_int_equal(ipam_claim(i, "b", addr("10.88.0.255")), -ERANGE);
	assert_int_equal(ipam_claim(i, "b", addr("10.88.1.2")), -ERANGE);
	assert_int_equal(ipam_claim(i, "b", addr("10.87.255.254")), -ERANGE);
	assert_int_equal(ipam_claim(i, "a", addr("10.88.0.7")), 0); /* moves */
	assert_int_equal(ipam_claim(i, "b", addr("10.88.0.9")), 0);
	assert_lease(i, "a", "10.88.0.7");
	ipam_close(i);
}

static void test_uids_that_the_file_cannot_hold(void **state)
{
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 24);
	char longest[IPAM_UID_MAX + 2];

	(void)state;
	memset(longest, 'u', sizeof(longest));
	longest[IPAM_UID_MAX + 1] = '\0';
	assert_int_equal(ipam_lease(i, "", &a), -EINVAL);
	assert_int_equal(ipam_lease(i, "a b", &a), -EINVAL);
	assert_int_equal(ipam_lease(i, "a\n10.88.0.3 b", &a), -EINVAL);
	assert_int_equal(ipam_lease(i, longest, &a), -EINVAL);
	assert_int_equal(ipam_claim(i, longest, addr("10.88.0.3")), -EINVAL);
	longest[IPAM_UID_MAX] = '\0';
	assert_int_equal(ipam_lease(i, longest, &a), 0);
	ipam_close(i);
}

/* Every single flipped byte and every truncation is noticed. */
static void test_damage(void **state)
{
	_cleanup_buf_ struct buf good = BUF_NULL, bad = BUF_NULL;
	struct in_addr a;
	struct ipam *i = open_range("10.88.0.0", 16);

	(void)state;
	assert_lease(i, "a", "10.88.0.2");
	assert_lease(i, "b", "10.88.0.3");
	ipam_close(i);
	assert_int_equal(file_read(dir, "leases", 4096, &good), 0);
	for (size_t n = 0; n < 2 * good.len; n++) {
		buf_clear(&bad);
		buf_append(&bad, good.data, n < good.len ? good.len : n - good.len);
		if (n < good.len)
			bad.data[n] ^= 0x10;
		assert_int_equal(file_replace(dir, "leases", bad.data ?: "", bad.len, 0600), 0);
		i = open_range("10.88.0.0", 16);
		assert_true(ipam_damaged(i));
		assert_int_equal(ipam_find(i, "a", &a), -ENOENT);
		assert_int_equal(faccessat(dir, "leases.bad", F_OK, 0), 0);
		assert_int_equal(ipam_claim(i, "b", addr("10.88.0.3")), 0); /* from the running pod */
		assert_int_equal(ipam_save(i), 0);
		i = ipam_close(i);
		i = open_range("10.88.0.0", 16);
		assert_false(ipam_damaged(i));
		assert_lease(i, "b", "10.88.0.3");
		ipam_close(i);
	}
}

static void test_bad_arguments(void **state)
{
	struct ipam *i;

	(void)state;
	assert_int_equal(ipam_open(dir, "leases", addr("10.0.0.0"), 7, &i), -EINVAL);
	assert_int_equal(ipam_open(dir, "leases", addr("10.0.0.0"), 31, &i), -EINVAL);
	assert_null(ipam_close(NULL));
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir_path))
		return -1;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	dir = fd_close(dir);
	return tree_remove(AT_FDCWD, dir_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lease, start),
		cmocka_unit_test_setup(test_an_address_rests, start),
		cmocka_unit_test_setup(test_exhaustion, start),
		cmocka_unit_test_setup(test_kept_over_a_restart, start),
		cmocka_unit_test_setup(test_another_range, start),
		cmocka_unit_test_setup(test_claim, start),
		cmocka_unit_test_setup(test_uids_that_the_file_cannot_hold, start),
		cmocka_unit_test_setup(test_damage, start),
		cmocka_unit_test_setup(test_bad_arguments, start),
	};

	return cmocka_run_group_tests_name("ipam", tests, setup, teardown);
}
