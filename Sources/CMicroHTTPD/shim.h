#ifndef PERCEPTION_MICROHTTPD_SHIM_H
#define PERCEPTION_MICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

// Swift cannot call variadic functions. MHD_get_connection_info takes no further argument for these two.

/// The connection's socket, or MHD_INVALID_SOCKET.
static inline MHD_socket perception_connection_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : MHD_INVALID_SOCKET;
}

/// What the notify-connection callback stored for this connection, or NULL.
static inline void *perception_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

// Declared here because the C library's headers hide them unless _GNU_SOURCE is defined, which Swift's Glibc
// module does not do.

int pthread_setname_np(pthread_t thread, const char *name);

/// Writes up to `bytes` of the process's core mask; a positive result means success.
int sched_getaffinity(pid_t process, size_t bytes, cpu_set_t *mask);

#endif
