#ifndef PERCEPTION_ALLOCATION_COUNT_H
#define PERCEPTION_ALLOCATION_COUNT_H

/* Counts what the calling thread allocates. This target's malloc and free stand before the C library's in the test
   program, and in every library that it loads, libjpeg and libpng and Swift's own among them. They count on threads that
   ask for it; others are not touched, so that tests may run beside one another. What one thread allocates and another frees is
   counted wrongly: what is measured runs on one. */

#include <stddef.h>

/* 0 under sanitizers, which have an allocator of their own: nothing is counted then. */
int allocation_count_is_possible(void);

void allocation_count_begin(void);

typedef struct allocation_count {
    ptrdiff_t peak; /* the most bytes that were there at once, of those allocated since the beginning */
    ptrdiff_t live; /* that are there now */
} allocation_count;

allocation_count allocation_count_end(void);

/* The same of all threads, for a process in which nothing else is going on. */
void allocation_count_begin_everywhere(void);
allocation_count allocation_count_end_everywhere(void);

#endif
