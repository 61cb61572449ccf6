#ifndef PERCEPTION_CONFINEMENT_H
#define PERCEPTION_CONFINEMENT_H

/// Permanently denies the process the system calls by which it could reach others: those that create and connect sockets,
/// and those that start a program. From then on they fail with EPERM. Existing sockets are not affected.
///
/// With `all_threads` 0 this applies only to the calling thread and those that it starts later.
///
/// Returns 0, or the system's error: ENOSYS if the kernel or the processor has no such filter.
int confinement_begin(int all_threads);

#endif
