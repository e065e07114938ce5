/* The jail's system calls. */
#pragma once

int filter_install(void);
