/* What `image:` of a manifest says: a reference to a registry's image, or a transport and a path.
 *
 *     nginx                                    -> docker.io/library/nginx:latest
 *     registry:5000/a/b:1.2@sha256:<64 hex>    -> registry:5000/a/b@sha256:<64 hex> (a digest makes the tag idle)
 *     oci:/path[:tag]                          an OCI layout directory
 *     oci-archive:/path.tar[:tag]              the same as a tar
 *     docker-archive:/path.tar[:name]          what `docker save` writes
 *     rootfs:/path                             a directory, used as it is
 *
 * The grammar of names is that of distribution/reference, which the kubelet uses; the transports are those of containers/image: the
 * path ends at its first colon (rootfs: takes all that follows). Paths are absolute. */
#pragma once
#include <stdbool.h>

enum image_transport {
	IMAGE_REGISTRY,
	IMAGE_OCI,
	IMAGE_OCI_ARCHIVE,
	IMAGE_DOCKER_ARCHIVE,
	IMAGE_ROOTFS,
	IMAGE_TRANSPORT_MAX,
};

enum {
	IMAGE_REFERENCE_SIZE = 1024,    /* any reference, normalised, with its NUL */
	IMAGE_NAME_MAX = 255,           /* registry and repository */
	IMAGE_TAG_MAX = 128,            /* of a registry; what names an image in an archive may be a whole reference */
	IMAGE_DIGEST_SIZE = 7 + 64 + 1, /* "sha256:", 64 digits, NUL */
};

struct image_ref {
	enum image_transport transport;
	char name[IMAGE_REFERENCE_SIZE]; /* registry/repository, or the path */
	char tag[IMAGE_NAME_MAX + 1];    /* "latest" where a registry's reference has neither tag nor digest; else "" */
	char digest[IMAGE_DIGEST_SIZE];  /* or "" */
};

/* 0, or -EINVAL with *ret_why in static words: the kubelet's InvalidImageName. */
int image_ref_parse(const char *text, struct image_ref *ret, const char **ret_why);

/* Normalised: the same image has one text, and this text is its key in the store. */
void image_ref_text(const struct image_ref *ref, char ret[static IMAGE_REFERENCE_SIZE]);

const char *image_transport_name(enum image_transport t); /* "oci-archive"; NULL for a registry */

/* "sha256:" and 64 lower-case hexadecimal digits, nothing else: no other algorithm, no path. */
bool image_digest_valid(const char *s);
