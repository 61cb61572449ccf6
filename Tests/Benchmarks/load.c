/* A load generator that costs next to nothing: one thread, C connections, each sending the same prepared request again
 * as soon as its answer has been read whole.
 *
 *     load PORT CONNECTIONS REQUESTS FILE      FILE: head and body as they go over the wire
 *
 * Prints the seconds that all requests took together, then the milliseconds of each request, a line each. Any answer
 * but a 200 with a Content-Length ends it with status 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, HEAD_BYTES = 16384, PIECE_BYTES = 1 << 18 };

struct connection {
    size_t sent, received, expected;
    double started;
    char head[HEAD_BYTES];
};

static struct connection connections[MOST_CONNECTIONS];
static struct pollfd polls[MOST_CONNECTIONS];
static char piece[PIECE_BYTES];

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1, socket_ = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    return socket_;
}

static char *contents(const char *path, size_t *size) {
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) != 0) fail(path);
    *size = (size_t)status.st_size;
    char *bytes = malloc(*size);
    if (!bytes || fread(bytes, 1, *size, file) != *size) fail(path);
    fclose(file);
    return bytes;
}

/* Bytes of head and body once the head is complete, else 0. */
static size_t whole(struct connection *at, size_t bytes) {
    at->head[bytes < HEAD_BYTES ? bytes : HEAD_BYTES - 1] = 0;
    char *end = strstr(at->head, "\r\n\r\n"), *length = strcasestr(at->head, "\r\nContent-Length:");
    if (!end) return 0;
    if (strncmp(at->head, "HTTP/1.1 200", 12) != 0 || !length || length > end) fail(at->head);
    return (size_t)(end + 4 - at->head) + strtoull(length + 17, NULL, 10);
}

static void send_rest(struct connection *at, struct pollfd *poll_, const char *request, size_t size) {
    while (at->sent < size) {
        ssize_t count = send(poll_->fd, request + at->sent, size - at->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) fail("send");
        at->sent += (size_t)count;
    }
    poll_->events = at->sent < size ? POLLIN | POLLOUT : POLLIN;
}

/* Whether the answer is complete. */
static int receive_some(struct connection *at, struct pollfd *poll_) {
    for (;;) {
        ssize_t count = recv(poll_->fd, piece, PIECE_BYTES, 0);
        if (count < 0 && errno == EAGAIN) return 0;
        if (count <= 0) fail("recv");
        if (at->expected == 0) {
            size_t room = HEAD_BYTES - 1 - at->received;
            memcpy(at->head + at->received, piece, (size_t)count < room ? (size_t)count : room);
            at->expected = whole(at, at->received + (size_t)count);
        }
        at->received += (size_t)count;
        if (at->expected && at->received >= at->expected) return 1;
    }
}

int main(int count, char **arguments) {
    if (count != 5) fail("usage: load PORT CONNECTIONS REQUESTS FILE");
    int port = atoi(arguments[1]), width = atoi(arguments[2]), requests = atoi(arguments[3]);
    if (width < 1 || width > MOST_CONNECTIONS || requests < width) fail("connections or requests out of range");
    size_t size;
    char *request = contents(arguments[4], &size);
    double *spent = calloc((size_t)requests, sizeof *spent);
    for (int index = 0; index < width; index++) polls[index].fd = connected(port);

    int begun = 0, done = 0;
    double start = now();
    for (; begun < width; begun++) {
        connections[begun].started = now();
        send_rest(&connections[begun], &polls[begun], request, size);
    }
    while (done < requests) {
        if (poll(polls, (nfds_t)width, 60000) <= 0) fail("poll");
        for (int index = 0; index < width; index++) {
            struct connection *at = &connections[index];
            if (polls[index].revents & POLLOUT) send_rest(at, &polls[index], request, size);
            if (!(polls[index].revents & ~POLLOUT) || !receive_some(at, &polls[index])) continue;
            double time = now();
            spent[done++] = (time - at->started) * 1e3;
            at->sent = at->received = at->expected = 0;
            at->started = time;
            if (begun < requests) {
                begun++;
                send_rest(at, &polls[index], request, size);
            } else {
                polls[index].events = 0;
            }
        }
    }
    printf("%.9f\n", now() - start);
    for (int index = 0; index < requests; index++) printf("%.4f\n", spent[index]);
    return 0;
}
