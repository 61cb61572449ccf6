#include "event_wait.h"

#include <stddef.h>

int epoll_wait(int set, struct epoll_event *events, int capacity, int milliseconds) {
    static _Thread_local int there_may_be_more = 0;
    int found = epoll_pwait(set, events, capacity, there_may_be_more ? 0 : milliseconds, NULL);
    there_may_be_more = found == capacity;
    return found;
}
