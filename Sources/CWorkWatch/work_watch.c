#include "work_watch.h"

#include <time.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int work_watch_look(work_watch *watch) {
    watch->unlooked = 0;
    if (watch->is_over || !watch->is_wanted) return !watch->is_over;
    uint64_t time = now();
    if (time - watch->asked_at < work_watch_nanoseconds) return 1;
    watch->asked_at = time;
    watch->is_over = !watch->is_wanted(watch->context);
    return !watch->is_over;
}
