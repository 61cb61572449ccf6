/* A load generator that costs next to nothing: one thread, epoll, C connections, each with one request at a time.
 *
 *     load PORT CONNECTIONS [-n REQUESTS] [-s SECONDS] [-r RATE] [-w] FILE ...
 *
 * FILE: head and body as they go over the wire; several are sent in turn. New requests begin until there were REQUESTS,
 * or until SECONDS are over and each connection has had two; what has begun is waited for. Without a rate the loop is
 * closed: a connection sends its next request as soon as its answer has been read whole. With one it is open: request i
 * is due at i / RATE whether or not earlier ones are answered, goes over the connection that has been free longest, and
 * its time counts from when it was due, so that a server which stalls cannot hide those it kept waiting.
 *
 * -w: after a 503 a connection waits as long as Retry-After says and sends the same request again; the time of what is
 * then answered counts from the first attempt.
 *
 * Prints the seconds that all took together and the processor time this program took, then a line for each answer: its
 * status (0: the connection broke), its milliseconds, and which one of its connection's it was, from 0. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, MOST_FILES = 256, HEAD_BYTES = 4096, PIECE_BYTES = 1 << 18, STALL_SECONDS = 120 };

struct request {
    char *bytes;
    size_t size;
};

struct connection {
    int descriptor, listens, awaits, status, closes, answers;
    size_t sent, received, expected;
    /* When its request was due or first sent, and, where it waits to repeat it, until when. */
    double started, resumes, retry_after;
    const struct request *request;
    char head[HEAD_BYTES];
};

struct answer {
    int status, nth;
    float milliseconds;
};

static struct connection connections[MOST_CONNECTIONS];
static struct request requests[MOST_FILES];
static struct answer *answers;
static struct connection *idle[MOST_CONNECTIONS];
static char piece[PIECE_BYTES];
static int port, width, files, waits, poller;
static size_t idle_first, idle_count, answered, room, begun, in_flight, most_requests = (size_t)-1;
static double seconds, rate, start;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void listen_to(struct connection *at, int events) {
    if (at->listens == events) return;
    struct epoll_event event = {.events = (unsigned)events, .data.ptr = at};
    if (epoll_ctl(poller, at->listens ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, at->descriptor, &event) != 0) fail("epoll_ctl");
    at->listens = events;
}

static void open_anew(struct connection *at) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1;
    if (at->descriptor > 0) close(at->descriptor);
    at->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (at->descriptor < 0 || connect(at->descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(at->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(at->descriptor, F_SETFL, O_NONBLOCK);
    at->listens = 0;
    listen_to(at, EPOLLIN);
}

static void read_file(const char *path) {
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (files == MOST_FILES || !file || fstat(fileno(file), &status) != 0) fail(path);
    struct request *into = &requests[files++];
    into->size = (size_t)status.st_size;
    into->bytes = malloc(into->size);
    if (!into->bytes || fread(into->bytes, 1, into->size, file) != into->size) fail(path);
    fclose(file);
}

static const char *header(const struct connection *at, const char *end, const char *name) {
    const char *found = strcasestr(at->head, name);
    return found && found < end ? found + strlen(name) : NULL;
}

/* Reads the head once it is complete. */
static void read_head(struct connection *at) {
    char *end = strstr(at->head, "\r\n\r\n");
    if (!end) {
        if (at->received >= HEAD_BYTES - 1) fail("an answer's head is too long");
        return;
    }
    const char *length = header(at, end, "\r\nContent-Length:"), *after = header(at, end, "\r\nRetry-After:");
    if (strncmp(at->head, "HTTP/1.1 ", 9) != 0 || !length) fail(at->head);
    at->status = atoi(at->head + 9);
    at->closes = header(at, end, "\r\nConnection: close") != NULL;
    at->retry_after = after ? atof(after) : 0;
    at->expected = (size_t)(end + 4 - at->head) + strtoull(length, NULL, 10);
}

static void send_rest(struct connection *at) {
    while (at->sent < at->request->size) {
        ssize_t count = send(at->descriptor, at->request->bytes + at->sent, at->request->size - at->sent, MSG_NOSIGNAL);
        /* A broken connection shows when its answer is read: there may be one. */
        if (count < 0 && errno != EAGAIN) break;
        if (count < 0) {
            listen_to(at, EPOLLIN | EPOLLOUT);
            return;
        }
        at->sent += (size_t)count;
    }
    listen_to(at, EPOLLIN);
}

static void begin(struct connection *at, double due) {
    at->request = &requests[begun++ % (size_t)files];
    at->started = due;
    at->awaits = 1;
    at->sent = at->received = at->expected = 0;
    in_flight++;
    send_rest(at);
}

static int may_begin(double time) {
    return begun < most_requests && (time - start < seconds || (rate == 0 && begun < 2 * (size_t)width));
}

static void answered_with(struct connection *at, int status, double time) {
    if (answered == room) {
        room = room ? 2 * room : 1 << 16;
        answers = realloc(answers, room * sizeof *answers);
        if (!answers) fail("realloc");
    }
    answers[answered++] = (struct answer){status, at->answers++, (float)((time - at->started) * 1e3)};
    /* Who is answered before all was sent cannot go on with this connection. */
    if (status == 0 || at->closes || at->sent < at->request->size) open_anew(at);
    at->awaits = at->closes = 0;
    if (status == 503 && waits && time - start < seconds) {
        at->resumes = time + (at->retry_after > 0 ? at->retry_after : 1);
        return;
    }
    in_flight--;
    if (rate == 0 && may_begin(time)) {
        begin(at, time);
    } else {
        idle[(idle_first + idle_count++) % MOST_CONNECTIONS] = at;
    }
}

static void receive_some(struct connection *at) {
    for (;;) {
        ssize_t count = recv(at->descriptor, piece, PIECE_BYTES, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            /* A connection that is closed between answers is no error. */
            if (at->awaits) answered_with(at, 0, now());
            else open_anew(at);
            return;
        }
        if (at->expected == 0) {
            size_t left = HEAD_BYTES - 1 - at->received, taken = (size_t)count < left ? (size_t)count : left;
            memcpy(at->head + at->received, piece, taken);
            at->head[at->received + taken] = 0;
            at->received += (size_t)count;
            read_head(at);
        } else {
            at->received += (size_t)count;
        }
        if (at->expected && at->received >= at->expected) {
            answered_with(at, at->status, now());
            return;
        }
    }
}

/* Begins what is due and repeats what has waited long enough. The time until the next of them. */
static double begin_due(void) {
    double time = now(), next = time + 1;
    while (rate > 0 && begun < most_requests) {
        double due = start + (double)begun / rate;
        if (due - start >= seconds) break;
        if (due > time) {
            next = due;
            break;
        }
        if (idle_count == 0) break;
        struct connection *at = idle[idle_first];
        idle_first = (idle_first + 1) % MOST_CONNECTIONS;
        idle_count--;
        begin(at, due);
    }
    for (int index = 0; waits && index < width; index++) {
        struct connection *at = &connections[index];
        if (at->resumes == 0) continue;
        if (at->resumes > time) {
            if (at->resumes < next) next = at->resumes;
            continue;
        }
        at->resumes = 0;
        at->awaits = 1;
        at->sent = at->received = at->expected = 0;
        send_rest(at);
    }
    return next - time;
}

static void read_arguments(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "n:s:r:w")) != -1) {
        if (option == 'n') most_requests = strtoull(optarg, NULL, 10), seconds = seconds > 0 ? seconds : 1e9;
        else if (option == 's') seconds = atof(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'w') waits = 1;
        else fail("usage: load PORT CONNECTIONS [-n REQUESTS] [-s SECONDS] [-r RATE] [-w] FILE ...");
    }
    if (count - optind < 3 || seconds <= 0) fail("usage: load PORT CONNECTIONS [-n REQUESTS] [-s SECONDS] FILE ...");
    port = atoi(arguments[optind]);
    width = atoi(arguments[optind + 1]);
    if (width < 1 || width > MOST_CONNECTIONS) fail("connections out of range");
    for (int index = optind + 2; index < count; index++) read_file(arguments[index]);
}

int main(int count, char **arguments) {
    static struct epoll_event events[MOST_CONNECTIONS];
    read_arguments(count, arguments);
    poller = epoll_create1(0);
    for (int index = 0; index < width; index++) open_anew(&connections[index]);

    start = now();
    for (int index = 0; index < width; index++) {
        if (rate == 0 && may_begin(now())) begin(&connections[index], now());
        else idle[idle_count++] = &connections[index];
    }
    double last = now();
    for (;;) {
        double pause = begin_due();
        if (in_flight == 0 && (rate == 0 || begun >= most_requests || now() - start >= seconds)) break;
        struct timespec timeout = {.tv_sec = (time_t)pause, .tv_nsec = (long)((pause - (double)(time_t)pause) * 1e9)};
        int ready = epoll_pwait2(poller, events, width, &timeout, NULL);
        if (ready < 0) fail("epoll_pwait2");
        if (ready > 0) last = now();
        if (now() - last > STALL_SECONDS) fail("nothing came for two minutes");
        for (int index = 0; index < ready; index++) {
            struct connection *at = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) send_rest(at);
            if (events[index].events & ~(unsigned)EPOLLOUT) receive_some(at);
        }
    }
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    printf("%.9f %.6f\n", now() - start,
           (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) + (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1e-6);
    for (size_t index = 0; index < answered; index++)
        printf("%d %.4f %d\n", answers[index].status, (double)answers[index].milliseconds, answers[index].nth);
    return 0;
}
