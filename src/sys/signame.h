/* Signals by name, as images write them: "SIGQUIT", "quit", "3", "SIGRTMIN+3". */
#pragma once

int signal_by_name(const char *name); /* 1 to 64, or -EINVAL */
