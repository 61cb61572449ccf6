#define _GNU_SOURCE
#include "file_mapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/vfs.h>

/*
 * The signal handler walks a list of all mappings, so it has lock-free atomics only, and a mapping that is over stays in
 * the list to be used again. `start` is 0 then, and RESERVED while the mapping is being made or undone.
 */
struct file_mapping {
    _Atomic(uintptr_t) start;
    _Atomic(size_t) length;
    _Atomic(int) is_damaged;
    file_mapping *next;
};

enum { RESERVED = 1 };

static _Atomic(file_mapping *) mappings;
static struct sigaction previous;
static uintptr_t page_size;

static void page_is_missing(int signal, siginfo_t *information, void *context) {
    (void)context;
    int saved = errno;
    uintptr_t address = (uintptr_t)information->si_addr;
    for (file_mapping *each = atomic_load(&mappings); each; each = each->next) {
        uintptr_t start = atomic_load(&each->start);
        if (start <= RESERVED || address < start) continue;
        uintptr_t end = start + atomic_load(&each->length);
        if (address >= end) continue;
        atomic_store(&each->is_damaged, 1);
        uintptr_t page = address & ~(page_size - 1);
        /* mmap is a plain system call on every system this runs on, though POSIX does not list it as safe here. */
        void *zeros = mmap(
            (void *)page, end - page, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (zeros == MAP_FAILED) break;
        errno = saved;
        return;
    }
    /* Not ours: what would have happened without us happens when the instruction is tried again. */
    sigaction(signal, &previous, NULL);
    errno = saved;
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = page_is_missing, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
}

/* One that is over, or a new one; reserved for the caller. */
static file_mapping *reserve(void) {
    for (file_mapping *each = atomic_load(&mappings); each; each = each->next) {
        uintptr_t unused = 0;
        if (atomic_compare_exchange_strong(&each->start, &unused, RESERVED)) return each;
    }
    file_mapping *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return NULL;
    atomic_store(&fresh->start, RESERVED);
    fresh->next = atomic_load(&mappings);
    while (!atomic_compare_exchange_weak(&mappings, &fresh->next, fresh)) {
    }
    return fresh;
}

file_mapping *file_mapping_map(int descriptor, size_t length, int writable) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    file_mapping *mapping = reserve();
    if (!mapping) return NULL;
    void *start = mmap(
        NULL, length, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, descriptor, 0);
    if (start == MAP_FAILED) {
        atomic_store(&mapping->start, 0);
        return NULL;
    }
    atomic_store(&mapping->is_damaged, 0);
    atomic_store(&mapping->length, length);
    atomic_store(&mapping->start, (uintptr_t)start);
    return mapping;
}

void *file_mapping_start(const file_mapping *mapping) { return (void *)atomic_load(&mapping->start); }

int file_mapping_is_damaged(const file_mapping *mapping) { return atomic_load(&mapping->is_damaged); }

void file_mapping_unmap(file_mapping *mapping) {
    uintptr_t start = atomic_load(&mapping->start);
    size_t length = atomic_load(&mapping->length);
    /* Out of the handler's sight before the addresses can belong to another mapping. */
    atomic_store(&mapping->start, RESERVED);
    munmap((void *)start, length);
    atomic_store(&mapping->start, 0);
}

int file_mapping_lies_in_memory(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0)
        return -1;
    return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}
