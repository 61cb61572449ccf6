#ifndef PERCEPTION_WORK_WATCH_H
#define PERCEPTION_WORK_WATCH_H

/* Long work asks now and then whether somebody still waits for it. */

#include <stddef.h>
#include <stdint.h>

typedef struct work_watch {
    int (*is_wanted)(void *context); /* NULL: it always is */
    void *context;
    size_t unlooked;   /* operations since the clock was read */
    uint64_t asked_at; /* in nanoseconds */
    int is_over;       /* it has said no */
} work_watch;

enum {
    /* Some tens of microseconds of work. */
    work_watch_operations = 1 << 16,
    work_watch_nanoseconds = 4000000
};

/* Reads the clock, and asks when it is time. 0 once nobody wants the work. */
int work_watch_look(work_watch *watch);

/* So many operations are about to be done, a few arithmetic ones or bytes each. 0 once nobody wants the work: leave it as
   it is then. At most work_watch_operations each time, or it is asked too seldom. */
static inline int work_watch_goes_on(work_watch *watch, size_t operations) {
    watch->unlooked += operations;
    return watch->unlooked < work_watch_operations ? !watch->is_over : work_watch_look(watch);
}

#endif
