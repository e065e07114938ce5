/* Processes by pidfd, and namespaces: the system calls that a libc may lack. Libc only, no heap. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

/* fork(2) with CLONE_* flags, straight into the v2 cgroup directory `cgroup` (-1: the caller's own), with a pidfd of the child.
 * In the child 0 and *ret_pidfd is untouched; in the parent its pid, or -errno. Only for programs of one thread. */
pid_t process_clone(uint64_t flags, int cgroup, int *ret_pidfd);

int process_pidfd(pid_t pid);              /* pidfd_open(2): an fd or -errno */
int process_signal(int pidfd, int signal); /* pidfd_send_signal(2) */

/* execve(2) of what fd stands for; returns only with -errno. */
int process_exec_fd(int fd, char *const argv[], char *const envp[]);

/* From `first` on to `last`: closed, or (cloexec) close-on-exec. */
int process_close_range(unsigned first, unsigned last, int cloexec);
