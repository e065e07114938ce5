/* Templates and what they print for one document, as kubectl does; mistakes and where they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/str.h"
#include "ctl/jsonpath.h"

static const char document[] =
	"{\"kind\": \"List\", \"n\": null, \"t\": true, \"f\": 1.5, \"empty\": [], \"items\": ["
	" {\"metadata\": {\"name\": \"web\", \"labels\": {\"app\": \"web\", \"a.b/c\": \"dotted\"}},"
	"  \"spec\": {\"containers\": [{\"name\": \"app\", \"image\": \"i1\", \"ports\": [80, 443]}, {\"name\": \"log\", "
	"\"image\": \"i2\"}]},"
	"  \"status\": {\"phase\": \"Running\", \"restarts\": 3}},"
	" {\"metadata\": {\"name\": \"db\", \"labels\": {\"app\": \"db\"}},"
	"  \"spec\": {\"containers\": [{\"name\": \"db\", \"image\": \"i3\"}]},"
	"  \"status\": {\"phase\": \"Pending\", \"restarts\": 0}},"
	" {\"metadata\": {\"name\": \"job\"}, \"spec\": {\"containers\": [{\"name\": \"job\", \"image\": \"i4\"}]},"
	"  \"status\": {\"phase\": \"Succeeded\"}}]}";

static const struct {
	const char *template, *wanted;
} good[] = {
	{ ".kind", "List" },
	{ "{.kind}", "List" },
	{ "{ .kind }", "List" },
	{ "{$.kind}", "List" },
	{ "{@.kind}", "List" },
	{ "{['kind']}", "List" },
	{ "{.['kind']}", "List" },
	{ "{.t} {.f} {.n}", "true 1.5 null" },
	{ "{.nothing}", "" },
	{ "{.nothing.below[*].it}", "" },
	{ "{.kind.below}", "" },
	{ "text {.kind} text", "text List text" },
	{ "{.kind}{.kind}", "ListList" },
	{ "{.kind}{\"\\n\"}{.t}{'\\t'}", "List\ntrue\t" },
	{ "{\"a\\\"b\\\\n\"}", "a\"b\\n" },
	{ "{.kind \"-\" .t}", "List-true" },
	{ "{.items[0].metadata.name}", "web" },
	{ "{.items[-1].metadata.name}", "job" },
	{ "{.items[-3].metadata.name}", "web" },
	{ "{.items[*].metadata.name}", "web db job" },
	{ "{.items.*.metadata.name}", "web db job" },
	{ "{.items[0:2].metadata.name}", "web db" },
	{ "{.items[1:].metadata.name}", "db job" },
	{ "{.items[:1].metadata.name}", "web" },
	{ "{.items[:].metadata.name}", "web db job" },
	{ "{.items[-2:].metadata.name}", "db job" },
	{ "{.items[:-1].metadata.name}", "web db" },
	{ "{.items[0:3:2].metadata.name}", "web job" },
	{ "{.items[::2].metadata.name}", "web job" },
	{ "{.items[1:1].metadata.name}", "" },
	{ "{.items[0,2].metadata.name}", "web job" },
	{ "{.items[0, -1].metadata.name}", "web job" },
	{ "{.items[*]['metadata.name','status.phase']}", "web db job Running Pending Succeeded" },
	{ "{.items[0].metadata['name']}", "web" },
	{ "{.items[0].metadata[\"name\"]}", "web" },
	{ "{.items[0].metadata.labels.a\\.b/c}", "dotted" },
	{ "{.items[0].metadata.labels['a.b/c']}", "dotted" },
	{ "{.items[0].metadata.labels['a\\.b/c']}", "dotted" },
	{ "{.items[0].metadata.labels}", "{\"a.b/c\":\"dotted\",\"app\":\"web\"}" },
	{ "{.items[0].metadata.labels.*}", "web dotted" },
	{ "{.items[0].spec.containers[0].ports}", "[80,443]" },
	{ "{.items[*].spec.containers[*].image}", "i1 i2 i3 i4" },
	{ "{..image}", "i1 i2 i3 i4" },
	{ "{.items[0]..image}", "i1 i2" },
	{ "{..containers[0].name}", "app db job" },
	{ "{..ports[*]}", "80 443" },
	{ "{.items[?(@.status.phase==\"Running\")].metadata.name}", "web" },
	{ "{.items[?(@.status.phase=='Running')].metadata.name}", "web" },
	{ "{.items[?( @.status.phase != \"Running\" )].metadata.name}", "db job" },
	{ "{.items[?(.status.phase==\"Pending\")].metadata.name}", "db" },
	{ "{.items[?(\"Pending\"==@.status.phase)].metadata.name}", "db" },
	{ "{.items[?(@.status.restarts>0)].metadata.name}", "web" },
	{ "{.items[?(@.status.restarts>=0)].metadata.name}", "web db" },
	{ "{.items[?(@.status.restarts<3)].metadata.name}", "db" },
	{ "{.items[?(@.status.restarts<=3)].metadata.name}", "web db" },
	{ "{.items[?(@.status.restarts==3.0)].metadata.name}", "web" },
	{ "{.items[?(@.status.restarts==\"3\")].metadata.name}", "" },
	{ "{.items[?(@.metadata.labels)].metadata.name}", "web db" },
	{ "{.items[?(@.metadata.labels.app==@.metadata.name)].metadata.name}", "web db" },
	{ "{.items[?(@.spec.containers[0].image==\"i3\")].metadata.name}", "db" },
	{ "{.items[*].spec.containers[?(@.name==\"log\")].image}", "i2" },
	{ "{.items[?(@.nothing==\"x\")].metadata.name}", "" },
	{ "{.kind[?(@.x)]}", "" },
	{ "{range .items[*]}{.metadata.name}{\"\\n\"}{end}", "web\ndb\njob\n" },
	{ "{range .items[*]}[{.metadata.name}, {.status.restarts}] {end}", "[web, 3] [db, 0] [job, ] " },
	{ "{range .items[*]}{range .spec.containers[*]}{.name} {end}{end}", "app log db job " },
	{ "{range .items[?(@.status.restarts)]}{@.metadata.name};{end}", "web;db;" },
	{ "{range .empty[*]}{.x}{range .y}z{end}{end}", "" },
	{ "{range .nothing}x{end}y", "y" },
	{ "{ range .items[0] }{.kind}{.metadata.name}{ end }", "web" },
	{ "{.ranger}{.end}", "" },
	{ "{.empty}", "[]" },
	{ "{.empty[*]}", "" },
	{ "{}", "" },
};

static const struct {
	const char *template;
	size_t at;
	const char *text;
} bad[] = {
	{ "{.kind", 6, "} is missing" },
	{ "{", 1, "} is missing" },
	{ "{kind}", 1, "a path begins with" },
	{ "{.items[}", 8, "whole number" },
	{ "{.items[0}", 9, "] is missing" },
	{ "{.items[abc]}", 8, "whole number" },
	{ "{.items['a}", 11, "has no end" },
	{ "{\"abc}", 6, "has no end" },
	{ "{.items[99999999999]}", 8, "whole number" },
	{ "{.items[3].metadata.name}", 8, "3 elements: no index 3" },
	{ "{.items[-4]}", 8, "3 elements" },
	{ "{.items[0:9]}", 8, "no index 8" },
	{ "{.items[::0]}", 11, "at least 1" },
	{ "{.kind[0]}", 7, "needs an array" },
	{ "{..}", 3, "name is missing" },
	{ "{.items[?(@.a==\"x\"]}", 18, ") is missing" },
	{ "{.items[?(@.a=\"x\")]}", 13, "is missing" },
	{ "{.items[?(@.a==x)]}", 16, "compare with" },
	{ "{.items[?()]}", 10, "compare with" },
	{ "{.items[?(@.spec.containers[*].name==\"x\")]}", 41, "one value" },
	{ "{range .items[*]}{.x}", 21, "{end} is missing" },
	{ "{.x}{end}", 4, "without a {range}" },
	{ "{range}{end}", 6, "a path begins with" },
	{ "{.kind]}", 6, "a path begins with" },
	{ "no braces is a path", 0, "a path begins with" },
	{ ".kind more", 5, "the path ends here" },
};

static void prints(void **state)
{
	json_t *value = json_loads(document, 0, NULL);

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct buf out = BUF_NULL;
		struct jsonpath_error error = { 0 };
		if (jsonpath_print(good[i].template, value, &out, &error) < 0)
			fail_msg("%s: %s at %zu", good[i].template, error.text, error.at);
		if (!streq(buf_str(&out), good[i].wanted))
			fail_msg("%s: got %s, wanted %s", good[i].template, buf_str(&out), good[i].wanted);
	}
	json_decref(value);
}

static void mistakes(void **state)
{
	json_t *value = json_loads(document, 0, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf out = BUF_NULL;
		struct jsonpath_error error = { 0 };
		if (jsonpath_print(bad[i].template, value, &out, &error) != -EINVAL)
			fail_msg("%s is accepted: %s", bad[i].template, buf_str(&out));
		if (!strstr(error.text, bad[i].text) || error.at != bad[i].at)
			fail_msg("%s: got %s at %zu, wanted %s at %zu", bad[i].template, error.text, error.at, bad[i].text,
			         bad[i].at);
	}
	json_decref(value);
}

/* A mistake shows also where there is no data that would lead there; ranges have a limit. */
static void without_data(void **state)
{
	_cleanup_buf_ struct buf out = BUF_NULL, deep = BUF_NULL;
	json_t *value = json_object();
	struct jsonpath_error error;

	(void)state;
	assert_int_equal(jsonpath_print("{range .items[*]}{.a[}{end}", value, &out, &error), -EINVAL);
	assert_int_equal(jsonpath_print("{.items[?(@.a==]}", value, &out, &error), -EINVAL);
	for (unsigned i = 0; i <= JSONPATH_DEPTH_MAX; i++)
		buf_puts(&deep, "{range .a}");
	assert_int_equal(jsonpath_print(deep.data, value, &out, &error), -EINVAL);
	assert_non_null(strstr(error.text, "more than 16"));
	json_decref(value);
}

static void values(void **state)
{
	json_t *value = json_loads(document, 0, NULL);
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonpath_error error;

	(void)state;
	assert_int_equal(jsonpath_values("{.items[*].metadata.name}", value, ",", &out, &error), 0);
	assert_string_equal(buf_str(&out), "web,db,job");
	buf_clear(&out);
	assert_int_equal(jsonpath_values(".items[0].spec.containers[*].name", value, ",", &out, &error), 0);
	assert_string_equal(buf_str(&out), "app,log");
	assert_int_equal(jsonpath_values(".items x", value, ",", &out, &error), -EINVAL);
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(without_data),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
