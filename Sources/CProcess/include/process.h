#ifndef PERCEPTION_PROCESS_H
#define PERCEPTION_PROCESS_H

#include <stddef.h>

// The arguments and environment that the C library received at the start. Swift reads the command line from /proc and
// finds none if that is not mounted.

/// The number of arguments, including the program's name.
int process_argument_count(void);

/// The argument at this index, from 0; NULL after the last.
const char *process_argument(int place);

/// `NAME=value` at this index of the environment, from 0; NULL after the last.
const char *process_variable(int place);

/// Sets the stack size of threads that are started without one, such as those of libraries. By default it is what
/// `ulimit -s` was at the start. Returns 0 or the system's error.
int process_set_default_stack(size_t bytes);

/// Names the calling thread, in 15 bytes at most, for tools that list threads.
void process_name_thread(const char *name);

/// Allocates blocks of up to this number of bytes from the heaps, not as mappings of their own.
void process_allocate_from_heaps_up_to(int bytes);

/// Lets each heap keep this number of free bytes at its end. The allocator checks when a large block next to them is freed.
void process_keep_at_heap_ends(int bytes);

/// Returns the free pages of all heaps to the system, except those at the ends of heaps that belong to threads.
void process_give_back_memory(void);

#endif
