/* What the tables of the workload kinds share. */
#pragma once
#include "manifest/schema_rows.h"
#include "manifest/workload.h"

#define NUMBER(name_, doc_, ...) PLANNED(name_, INT32, LATER, UPDATE, doc_, .check = check_not_negative_number, ##__VA_ARGS__)
#define WORD(name_, doc_, ...) PLANNED(name_, STRING, LATER, UPDATE, doc_, ##__VA_ARGS__)
#define TEMPLATE \
	BUILT("template", OBJECT, MUST, workload, template, NONE, "The pod.", .required = true, .object = &schema_pod_template)
#define SELECTOR(...) NO_OP("selector", LABEL_SELECTOR, "Labels of its pods.", .object = &schema_label_selector, ##__VA_ARGS__)
/* An object whose members are stored beside those of the object it is in. */
#define INLINE(name_, schema_, doc_)                                                                              \
	{                                                                                                         \
		.name = (name_), .type = FIELD_OBJECT, .verdict = VERDICT_LATER, .built = true, .required = true, \
		.object = (schema_), .doc = (doc_)                                                                \
	}

extern const struct schema schema_template_metadata, schema_job_spec, schema_cron_job_spec;
