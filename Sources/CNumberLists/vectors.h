/* Vectors of LANES elements, read from lists and written to them. */
#ifndef NUMBER_LISTS_VECTORS_H
#define NUMBER_LISTS_VECTORS_H

#include <string.h>

#include "widths.h"

/* A joined product and sum rounds once instead of twice: other bits on machines that have it. */
#pragma STDC FP_CONTRACT OFF

/* That vectors wider than a register have no settled calling convention doesn't matter: nothing here is ever called but
 * what takes lists. */
#pragma clang diagnostic ignored "-Wpsabi"
#define inlined static inline __attribute__((always_inline))

typedef double doubles __attribute__((vector_size(8 * LANES)));
typedef int64_t longs __attribute__((vector_size(8 * LANES)));
typedef float floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint16_t shorts __attribute__((vector_size(2 * LANES)));
typedef int8_t bytes __attribute__((vector_size(LANES)));
typedef uint8_t octets __attribute__((vector_size(LANES)));
typedef double eight __attribute__((vector_size(64)));
typedef int64_t eight_longs __attribute__((vector_size(64)));
typedef uint8_t eight_octets __attribute__((vector_size(8)));

inlined doubles choose(longs condition, doubles a, doubles b) {
    return (doubles)(((longs)a & condition) | ((longs)b & ~condition));
}

inlined floats choose_float(ints condition, floats a, floats b) {
    return (floats)(((ints)a & condition) | ((ints)b & ~condition));
}

/* At most LANES elements; what is missing is 0. */
inlined doubles load(const double *list, size_t count) {
    doubles values = {};
    memcpy(&values, list, count * sizeof(double));
    return values;
}

/* The same of a list that may be one of floats, from `first` on. */
inlined doubles load_from(struct number_lists_source list, size_t first, size_t count) {
    if (!list.are_floats) {
        doubles values = {};
        memcpy(&values, (const char *)list.first + first * sizeof(double), count * sizeof(double));
        return values;
    }
    floats values = {};
    memcpy(&values, (const char *)list.first + first * sizeof(float), count * sizeof(float));
    return __builtin_convertvector(values, doubles);
}

inlined octets load_octets(const uint8_t *list, size_t count) {
    octets values = {};
    memcpy(&values, list, count);
    return values;
}

inlined longs is_set(octets mask) { return __builtin_convertvector(mask, longs) != 0; }

inlined void store(double *list, doubles values, size_t count) { memcpy(list, &values, count * sizeof(double)); }

inlined void store_octets(uint8_t *list, longs flags, size_t count) {
    bytes narrow = -__builtin_convertvector(flags, bytes);
    memcpy(list, &narrow, count);
}

inlined bool any(ints flags) {
    int32_t joined = 0;
    for (int lane = 0; lane < LANES; lane++) joined |= flags[lane];
    return joined != 0;
}

#endif
