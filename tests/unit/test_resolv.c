/* resolv.conf of a pod, from the host's and the manifest's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/str.h"
#include "manifest/manifest.h"
#include "plan/resolv.h"

static struct manifest manifest;

static const struct pod *pod_of(const char *spec)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	buf_printf(&text,
	           "apiVersion: v1\nkind: Pod\nmetadata: {name: p.q, namespace: ns}\nspec:\n  containers: [{name: c, image: "
	           "'rootfs:/'}]\n"
	           "  %s\n",
	           spec);
	manifest_read("f", buf_str(&text), text.len, &manifest);
	if (manifest.document_count != 1 || !manifest.documents[0].pod)
		fail_msg("%s: %s: %s", spec, manifest.diags[0].field, manifest.diags[0].text);
	return manifest.documents[0].pod;
}

static void check(const char *spec, const char *host, const char *want)
{
	_cleanup_buf_ struct buf got = BUF_NULL;

	resolv_conf(pod_of(spec), host, &got);
	assert_string_equal(buf_str(&got), want);
	manifest_deinit(&manifest);
}

static const char host[] = "# of the host\ndomain old.example\nsearch a.example b.example\nnameserver 10.0.0.1\n"
			   "nameserver 10.0.0.2\nnameserver 10.0.0.1\nsortlist 10.0.0.0\noptions ndots:2 rotate\n";

static void test_policy(void **state)
{
	(void)state;
	const char *same = "search a.example b.example\nnameserver 10.0.0.1\nnameserver 10.0.0.2\noptions ndots:2 rotate\n";

	check("dnsPolicy: Default", host, same);
	check("dnsPolicy: ClusterFirst", host, same);
	check("dnsConfig: {}", host, same);
	check("dnsPolicy: Default", "", "");
	check("dnsPolicy: Default", "nameserver\n\n  nameserver\t10.0.0.3 \r\nsearch", "nameserver 10.0.0.3\n");
	check("dnsPolicy: None\n  dnsConfig: {nameservers: ['::1'], options: [{name: edns0}]}", host,
	      "nameserver ::1\noptions edns0\n");
}

static void test_config(void **state)
{
	(void)state;
	check("dnsConfig: {nameservers: [10.0.0.2, 10.0.0.9, 10.0.0.8], searches: [b.example, c.example]}", host,
	      "search a.example b.example c.example\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.9\noptions "
	      "ndots:2 rotate\n");
	check("dnsConfig: {options: [{name: ndots, value: '5'}, {name: rotate, value: ''}, {name: timeout, value: '1'}]}", host,
	      "search a.example b.example\nnameserver 10.0.0.1\nnameserver 10.0.0.2\noptions ndots:5 rotate timeout:1\n");
}

static void test_limits(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf many = BUF_NULL, want = BUF_NULL;

	buf_puts(&many, "search");
	buf_puts(&want, "search");
	for (int i = 0; i < 40; i++) {
		buf_printf(&many, " d%d", i);
		if (i < 32)
			buf_printf(&want, " d%d", i);
	}
	buf_putc(&want, '\n');
	check("dnsConfig: {searches: [more]}", buf_str(&many), buf_str(&want));
	buf_clear(&many);
	buf_clear(&want);
	buf_printf(&many, "search %01000d %01000d %046d", 1, 2, 3); /* 2048 with the spaces */
	buf_printf(&want, "%s\n", buf_str(&many));
	check("dnsConfig: {searches: [m]}", buf_str(&many), buf_str(&want));
}

static void check_names(const char *spec, const char *full, const char *host_name, const char *kernel)
{
	_cleanup_buf_ struct buf got_full = BUF_NULL, got_host = BUF_NULL;
	const struct pod *p = pod_of(spec);
	char got[POD_HOSTNAME_SIZE];

	pod_full_name(p, &got_full);
	pod_host_name(p, &got_host);
	pod_hostname(p, got);
	assert_string_equal(buf_str(&got_full), full);
	assert_string_equal(buf_str(&got_host), host_name);
	assert_string_equal(got, kernel);
	manifest_deinit(&manifest);
}

static void test_names(void **state)
{
	(void)state;
	check_names("hostname: ''", "p.q", "p.q", "p.q");
	check_names("subdomain: s", "p.q.s.ns.svc.cluster.local", "p.q", "p.q");
	check_names("hostname: h\n  subdomain: s\n  setHostnameAsFQDN: true", "h.s.ns.svc.cluster.local", "h",
	            "h.s.ns.svc.cluster.local");
	check_names("hostname: h\n  setHostnameAsFQDN: true", "h", "h", "h");
	check_names("hostname: h\n  subdomain: s\n  hostnameOverride: x.example", "x.example", "x.example", "x.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
