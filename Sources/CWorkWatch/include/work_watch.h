#ifndef PERCEPTION_WORK_WATCH_H
#define PERCEPTION_WORK_WATCH_H

/* Lets long work check from time to time whether its result is still wanted. */

#include <stddef.h>
#include <stdint.h>

typedef struct work_watch {
    int (*is_wanted)(void *context); /* NULL if it always is */
    void *context;
    size_t unlooked;   /* operations since the last reading of the clock */
    uint64_t asked_at; /* in nanoseconds */
    int is_over;       /* is_wanted has returned 0 */
} work_watch;

enum {
    /* Some tens of microseconds of work. */
    work_watch_operations = 1 << 16,
    work_watch_nanoseconds = 4000000
};

/* Reads the clock, and calls is_wanted if it is due. Returns 0 once the result is no longer wanted. */
int work_watch_look(work_watch *watch);

/* Announces this number of operations, each a few arithmetic ones or bytes. Returns 0 once the result is no longer wanted;
   stop the work then. Announce at most work_watch_operations at a time, so that is_wanted is called often enough. */
static inline int work_watch_goes_on(work_watch *watch, size_t operations) {
    watch->unlooked += operations;
    return watch->unlooked < work_watch_operations ? !watch->is_over : work_watch_look(watch);
}

#endif
