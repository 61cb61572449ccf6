#define _GNU_SOURCE
#include "process.h"

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

static int count;
static char **arguments;

/* The C library calls it before main, with main's arguments. */
__attribute__((constructor)) static void keep_arguments(int given, char **values) {
    count = given;
    arguments = values;
}

int process_argument_count(void) {
    return count;
}

const char *process_argument(int place) {
    return place >= 0 && place < count ? arguments[place] : NULL;
}

const char *process_variable(int place) {
    /* Bounded by its own end: callers go up from 0. */
    return environ ? environ[place] : NULL;
}

int process_set_default_stack(size_t bytes) {
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);
    if (result != 0) return result;
    result = pthread_attr_setstacksize(&attributes, bytes);
    if (result == 0) result = pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    return result;
}

void process_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

void process_allocate_from_heaps_up_to(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
}

void process_keep_at_heap_ends(int bytes) {
    mallopt(M_TRIM_THRESHOLD, bytes);
}

void process_give_back_memory(void) {
    malloc_trim(0);
}
