/* What -o asks for, of the verbs that print objects: json, yaml, name, jsonpath=TEMPLATE, custom-columns=NAME:PATH,...; without it, or with
 * wide, the verb prints a table of its own. */
#pragma once
#include <jansson.h>
#include "ctl/args.h"

enum output_kind { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME, OUTPUT_JSONPATH, OUTPUT_COLUMNS, OUTPUT_MAX };

struct output {
	enum output_kind kind;
	const char *argument; /* the template, or the columns */
};

/* Of -o. CTL_YES, or CTL_USAGE after a message, also about a template that can't be read. */
int output_parse(const struct args *a, struct output *ret);
static inline bool output_is_table(const struct output *o)
{
	return o->kind == OUTPUT_TABLE || o->kind == OUTPUT_WIDE;
}

/* An object or a list of them; `name` is what stands before "/" in -o name: "pod". An exit code. */
int output_print(const struct output *o, const json_t *value, const char *name);
