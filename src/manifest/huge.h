/* Huge pages: resources hugepages-2Mi and hugepages-1Gi, and volumes of them. The sizes are those that x86 and arm64 both have. */
#pragma once
#include "manifest/pod.h"

const char *huge_size_name(enum huge_size s); /* "2Mi" */
uint64_t huge_size_bytes(enum huge_size s);
bool huge_asked(const struct resource_list *l); /* of any size */
bool pod_asks_huge(const struct pod *p);
/* The size of a volume's pages: of its medium, or the only one that the pod asks for. HUGE_SIZE_MAX: it is for none; *ret_many: or for
 * more than one. */
enum huge_size pod_huge_medium(const struct pod *p, enum empty_dir_medium medium, bool *ret_many);
