#ifndef PERCEPTION_EVENT_WAIT_H
#define PERCEPTION_EVENT_WAIT_H

#include <sys/epoll.h>

/// Takes the place of the C library's function of this name, for libmicrohttpd as for everybody in this process.
///
/// libmicrohttpd (0.9.75, and at least some later ones) asks for up to 128 events and, where it got as many, asks for
/// more with the same time limit as before, which is none: it sleeps, and the 128 are not served before something else
/// happens. When each of 128 clients of one thread waits for its answer, nothing else ever does, and all of them hang.
/// So a call after one that filled its room does not wait.
int epoll_wait(int set, struct epoll_event *events, int room, int milliseconds);

#endif
