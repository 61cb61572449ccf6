#include "number_lists.h"

#include <stdatomic.h>

#include "widths.h"

static enum number_lists_width widest(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        return number_lists_width_512;
    if (__builtin_cpu_supports("avx2")) return number_lists_width_256;
#endif
    return number_lists_width_baseline;
}

/* Null until it is first asked for; whoever asks at the same time finds the same. */
static _Atomic(const struct number_kernels *) in_use;

enum number_lists_width number_lists_limit(enum number_lists_width width) {
    enum number_lists_width has = widest(), used = width < has ? width : has;
    const struct number_kernels *kernels = &number_kernels_baseline;
#if defined(__x86_64__)
    if (used == number_lists_width_512) kernels = &number_kernels_512;
    if (used == number_lists_width_256) kernels = &number_kernels_256;
#endif
    atomic_store_explicit(&in_use, kernels, memory_order_relaxed);
    return used;
}

static const struct number_kernels *kernels(void) {
    const struct number_kernels *found = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (found) return found;
    number_lists_limit(number_lists_width_512);
    return atomic_load_explicit(&in_use, memory_order_relaxed);
}

struct number_lists_extent number_lists_widen(enum number_lists_type type, const void *bytes, size_t count, double *values) {
    return kernels()->widen(type, bytes, count, values);
}

bool number_lists_narrow(const double *values, size_t count, float *floats) {
    return kernels()->narrow(values, count, floats);
}

bool number_lists_are_finite(const float *floats, size_t count) { return kernels()->are_finite(floats, count); }

void number_lists_sum(const double *values, const uint8_t *mask, size_t count, double sums[8]) {
    kernels()->sum(values, mask, count, sums);
}

size_t number_lists_count(const uint8_t *mask, size_t count) { return kernels()->count(mask, count); }

void number_lists_count_equal(
    const struct number_lists_source lists[3], const uint8_t *mask, size_t count, size_t equal[3]) {
    kernels()->count_equal(lists, mask, count, equal);
}

size_t number_lists_count_above(const double *values, size_t count, double threshold) {
    return kernels()->count_above(values, count, threshold);
}

void number_lists_select(
    const double *values, const uint8_t *candidates, size_t count, double threshold, bool or_equal, uint8_t *chosen) {
    kernels()->select(values, candidates, count, threshold, or_equal, chosen);
}

size_t number_lists_keep(const double *values, const uint8_t *mask, size_t count, double *kept) {
    return kernels()->keep(values, mask, count, kept);
}

void number_lists_compare(
    const struct number_lists_comparison *comparison, const struct number_lists_compared *lists) {
    kernels()->compare(comparison, lists);
}

size_t number_lists_narrow_down(const double *values, size_t count, size_t *rank, double *some) {
    return kernels()->narrow_down(values, count, rank, some);
}
