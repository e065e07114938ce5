/* bench-parse FILE...: reads each manifest as podd does, then again by libyaml's events alone: prints microseconds of both. */
#include <fcntl.h>
#include <stdio.h>
#include <yaml.h>

#include "base/fd.h"
#include "bench/bench.h"
#include "manifest/manifest.h"

static void read_text(const char *path, struct buf *text)
{
	(void)bench_check(file_read(AT_FDCWD, path, MANIFEST_SIZE_MAX, text), path);
}

static void judge(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	read_text(path, &text);
	manifest_read(path, text.data, text.len, &m);
	if (m.document_count != 1 || !m.documents[0].pod)
		bench_die(m.diag_count ? m.diags[0].text : path);
	manifest_deinit(&m);
}

static void events(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	yaml_parser_t parser;
	yaml_event_t e = { 0 };

	read_text(path, &text);
	(void)yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
	for (bool end = false; !end; yaml_event_delete(&e)) {
		if (!yaml_parser_parse(&parser, &e))
			bench_die(path);
		end = e.type == YAML_STREAM_END_EVENT;
	}
	yaml_parser_delete(&parser);
}

static long long measure(void (*each)(const char *path), char **paths, int count)
{
	int64_t begin = bench_now();

	for (int i = 0; i < count; i++)
		each(paths[i]);
	return (long long)(bench_now() - begin) / 1000;
}

int main(int argc, char **argv)
{
	long long podd = measure(judge, argv + 1, argc - 1), yaml = measure(events, argv + 1, argc - 1);

	(void)printf("%lld %lld\n", podd, yaml);
	return 0;
}
