/* Ephemeral containers, with which a pod that runs is looked into (podctl debug). No manifest has them: they are added to one pod, by the
 * API's text, and end with its sandbox. So a version of a pod with some is made of the one that the manifest says, which it shares.
 *
 * The text is what clients send to pods/NAME/ephemeralcontainers: a Pod, or a part of one, with the list in spec.ephemeralContainers;
 * or, of Kubernetes before 1.22, kind EphemeralContainers with the list at its top. What else it says of the pod is not looked at. */
#pragma once
#include "manifest/manifest.h"

/* A version of `pod` with those of `pod` and of the text: a new reference. -EBADMSG: *ret_why, which is the caller's to free, says what is
 * wrong. */
int ephemeral_add(const struct pod *pod, const char *text, size_t size, struct pod **ret, char **ret_why);
/* The version without any: a new reference. */
struct pod *ephemeral_base(const struct pod *pod);
void ephemeral_json(const struct pod *pod,
                    struct jsonw *w); /* the member "ephemeralContainers" of an open object; nothing if there are none */
