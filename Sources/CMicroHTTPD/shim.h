#ifndef PERCEPTION_MICROHTTPD_SHIM_H
#define PERCEPTION_MICROHTTPD_SHIM_H

// First the C library as Swift knows it. Without this the system headers below become part of this module too,
// and which of the two modules then owns, say, SOCK_STREAM depends on the order of imports: files that import
// only Glibc may not find it.
#pragma clang module import SwiftGlibc

#include <microhttpd.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

// Swift cannot call variadic functions; these wrap the three the server needs.

/// The connection's socket, or MHD_INVALID_SOCKET.
static inline MHD_socket micro_httpd_connection_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : MHD_INVALID_SOCKET;
}

/// What the notify-connection callback stored for this connection, or NULL.
static inline void *micro_httpd_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/// Where the client is, or NULL. Good for as long as the connection.
static inline const struct sockaddr *micro_httpd_connection_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

/// Bytes from the request line's first to the blank line's last, once the head is complete; else 0.
static inline size_t micro_httpd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

struct micro_httpd_daemon_settings {
    unsigned int threads;
    unsigned int connection_limit;
    size_t connection_memory;
    size_t stack_size;
    void *context;
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback request_completed;
    MHD_NotifyConnectionCallback connection_changed;
    void *(*request_line)(void *context, const char *target, struct MHD_Connection *connection);
    /// Both of these are used over TLS only.
    MHD_LogCallback log;
    void *log_context;
    /// PEM; both or neither. Neither is used once the daemon runs.
    const char *certificate;
    const char *key;
};

/// Whether the library was built with GnuTLS.
static inline bool micro_httpd_supports_tls(void) {
    return MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES;
}

/// TLS 1.2 and 1.3, forward secrecy, authenticated encryption; GnuTLS's names.
static const char micro_httpd_tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD";

/// Leaves percent-encoding alone: the library's decoder turns %00 into the end of a string.
static inline size_t micro_httpd_keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void) context;
    (void) connection;
    return strlen(text);
}

/// Starts I/O threads; NULL when threads or descriptors are exhausted, or when the library refuses the certificate or
/// its key, which it then logs.
///
/// Plain connections are watched by epoll, TLS ones by poll: with epoll, 0.9.75 takes a handshake that waits for its
/// client as ready, so that one client who sends a byte and no more takes a whole core. Poll looks at every connection of
/// a thread whenever one is ready.
///
/// Accepting is the caller's business, because MHD_quiesce_daemon can abort the process in 0.9.75: it removes the
/// listening socket from an epoll set from which that set's thread may just have removed it. Time limits are the
/// caller's, too: the library's own only measures inactivity.
static inline struct MHD_Daemon *micro_httpd_start_daemon(const struct micro_httpd_daemon_settings *settings) {
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *) settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) settings->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) micro_httpd_tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned int watching = settings->certificate
        ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_USE_ERROR_LOG
        : MHD_USE_EPOLL_INTERNAL_THREAD;
    return MHD_start_daemon(
        watching | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, settings->handle, settings->context,
        MHD_OPTION_EXTERNAL_LOGGER, settings->log, settings->log_context,
        MHD_OPTION_ARRAY, settings->certificate ? tls : none,
        MHD_OPTION_THREAD_POOL_SIZE, settings->threads > 1 ? settings->threads : 0u,
        MHD_OPTION_THREAD_STACK_SIZE, settings->stack_size,
        MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_UNESCAPE_CALLBACK, &micro_httpd_keep_escapes, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, settings->request_line, settings->context,
        MHD_OPTION_NOTIFY_COMPLETED, settings->request_completed, settings->context,
        MHD_OPTION_NOTIFY_CONNECTION, settings->connection_changed, settings->context,
        MHD_OPTION_END);
}

/// What a content reader returns besides a count; the library's macros are casts, which Swift does not import.
static const ssize_t micro_httpd_stream_end = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t micro_httpd_stream_error = MHD_CONTENT_READER_END_WITH_ERROR;

// Declared here because the C library's headers hide them unless _GNU_SOURCE is defined, which Swift's Glibc
// module does not do.

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);

/// Writes up to `bytes` of the process's core mask; a positive result means success.
int sched_getaffinity(pid_t process, size_t bytes, cpu_set_t *mask);

#endif
