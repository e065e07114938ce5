/* The host's ip_forward. Without it pods reach this host and nothing else. */
#pragma once
#include <stdbool.h>

int forward_get(void); /* 1 on, 0 off, -errno */
int forward_set(bool on);
