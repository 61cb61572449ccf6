#include "allocation_count.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_ALLOCATOR
#endif
#endif

static _Thread_local int is_counting;
static _Thread_local allocation_count counted;

/* Of all threads together. */
static atomic_int are_all_counting;
static atomic_ptrdiff_t all_live, all_peak;

#ifndef OTHER_ALLOCATOR

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static void change_all(ptrdiff_t bytes) {
    ptrdiff_t live = atomic_fetch_add(&all_live, bytes) + bytes, peak = atomic_load(&all_peak);
    while (live > peak && !atomic_compare_exchange_weak(&all_peak, &peak, live)) continue;
}

static void *came(void *memory) {
    if (!memory) return memory;
    if (atomic_load_explicit(&are_all_counting, memory_order_relaxed))
        change_all((ptrdiff_t)malloc_usable_size(memory));
    if (!is_counting) return memory;
    counted.live += (ptrdiff_t)malloc_usable_size(memory);
    if (counted.live > counted.peak) counted.peak = counted.live;
    return memory;
}

static void goes(void *memory) {
    if (!memory) return;
    if (atomic_load_explicit(&are_all_counting, memory_order_relaxed))
        change_all(-(ptrdiff_t)malloc_usable_size(memory));
    if (is_counting) counted.live -= (ptrdiff_t)malloc_usable_size(memory);
}

void *malloc(size_t count) { return came(__libc_malloc(count)); }

void *calloc(size_t count, size_t size) { return came(__libc_calloc(count, size)); }

/* In place where it can be: what is moved counts once. */
void *realloc(void *memory, size_t count) {
    goes(memory);
    void *moved = __libc_realloc(memory, count);
    if (!moved && count > 0) return came(memory), NULL;
    return came(moved);
}

void *memalign(size_t alignment, size_t count) { return came(__libc_memalign(alignment, count)); }

void *aligned_alloc(size_t alignment, size_t count) { return came(__libc_memalign(alignment, count)); }

int posix_memalign(void **memory, size_t alignment, size_t count) {
    *memory = came(__libc_memalign(alignment, count));
    return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
    goes(memory);
    __libc_free(memory);
}

int allocation_count_is_possible(void) { return 1; }

#else

int allocation_count_is_possible(void) { return 0; }

#endif

void allocation_count_begin(void) {
    counted = (allocation_count){0, 0};
    is_counting = 1;
}

void allocation_count_begin_everywhere(void) {
    atomic_store(&all_live, 0);
    atomic_store(&all_peak, 0);
    atomic_store(&are_all_counting, 1);
}

allocation_count allocation_count_end_everywhere(void) {
    atomic_store(&are_all_counting, 0);
    return (allocation_count){atomic_load(&all_peak), atomic_load(&all_live)};
}

allocation_count allocation_count_end(void) {
    is_counting = 0;
    return counted;
}
