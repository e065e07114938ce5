/* The small files that outlive podd: <state>/accepted/<ns>_<name>.json, the last accepted version of each pod with its uid,
 * <ns>_<name>.configmap, .secret and .priorityclass, and <run>/held/<uid>, pods stopped by hand. Written by rename; fsync follows in a
 * child. A file that is damaged is set aside: the manifest directory still says what is wanted. */
#pragma once
#include "daemon/intake/accept_internal.h"

int store_load(struct acceptor *a);
int store_save(struct acceptor *a, const struct wanted *w);
void store_remove(struct acceptor *a, const struct wanted *w);
/* A podd that dies before store_told_config() leaves it to the next one to tell the pods. */
int store_save_config(struct acceptor *a, const struct config_object *c, const char *source);
void store_told_config(struct acceptor *a, const struct config_object *c);
void store_remove_config(struct acceptor *a, const struct config_object *c);
bool store_is_held(const struct acceptor *a, const char *uid);
/* State directory and logs (logs_remove()) of a pod. */
void store_remove_pod(struct daemon *d, const char *uid, const struct pod *pod);
