#ifndef PERCEPTION_PROCESS_H
#define PERCEPTION_PROCESS_H

#include <stddef.h>

// What the kernel gave the program at its start, as the C library has it. Swift reads the command line from /proc, and
// where that is not mounted finds none.

/// Arguments, the program's name among them.
int process_argument_count(void);

/// The argument at this place, from 0; NULL beyond the last.
const char *process_argument(int place);

/// `NAME=value` at this place of the environment, from 0; NULL beyond the last.
const char *process_variable(int place);

/// The stack of every thread that is started without saying how large, such as those of libraries. Otherwise it is what
/// `ulimit -s` was at the start. Returns 0 or the system's error.
int process_set_default_stack(size_t bytes);

/// Names the calling thread, in 15 bytes at most, for those who look at the process.
void process_name_thread(const char *name);

#endif
