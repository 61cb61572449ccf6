#ifndef PERCEPTION_EVENT_WAIT_H
#define PERCEPTION_EVENT_WAIT_H

#include <sys/epoll.h>

/// Replaces the C library's function of this name for the whole process, including libmicrohttpd.
///
/// libmicrohttpd (0.9.75, and at least some later versions) requests up to 128 events. If it gets that many, it requests
/// more with the same timeout, which is none. It then sleeps, and the 128 events are not handled before another one arrives.
/// If each of 128 clients of one thread waits for its answer, none ever does, and all of them hang. Therefore a call after
/// one that filled its array does not wait.
int epoll_wait(int set, struct epoll_event *events, int capacity, int milliseconds);

#endif
