/* A file that is one document of its own kind, not manifests: podd's configuration, a description of devices. */
#pragma once
#include "manifest/decode.h"
#include "manifest/yaml.h"

/* Starts the findings *m, which are the caller's to deinit, also after -EBADMSG. An empty file is an empty mapping. */
int single_read(struct manifest *m, struct arena *nodes, const char *file, const char *text, size_t size,
                struct yaml_document *ret);
