/* A new terminal on its way out of a container. podd-launch makes it in the container's own devpts, with the container's identity, and
 * hands the master side out over the socket that is its standard input, before it executes the program: whoever hears that the
 * program runs finds the master waiting. Libc only: the anchor takes terminals too. */
#pragma once

/* Makes a terminal, sends its master through `sock`; the slave side is *ret_slave. 0 or -errno. */
int terminal_make(int sock, int *ret_slave);

/* Takes the master, non-blocking, without waiting. -EAGAIN, -ECONNRESET: nothing was sent. -EPERM: that is no terminal: what comes out of
 * a container may come from its programs, if they may trace each other, and a file of theirs could block whoever touches it. */
int terminal_take(int sock, int *ret_master);
