#ifndef PERCEPTION_CONFINEMENT_H
#define PERCEPTION_CONFINEMENT_H

/// Takes from the process, for ever, the system calls by which it could reach out: those that make and connect sockets,
/// and those that start another program. From then on they fail with EPERM. Sockets it has are not touched.
///
/// With `all_threads` 0 only from the calling thread and those it starts later.
///
/// Returns 0, or the system's error: ENOSYS where the kernel or the processor has no such filter.
int confinement_begin(int all_threads);

#endif
