/* Elements of every type to doubles, and doubles to Floats, with what a caller wants to know of them on the way. */
#ifndef NUMBER_LISTS_CONVERSIONS_H
#define NUMBER_LISTS_CONVERSIONS_H

#include "vectors.h"

/* What a loop over a list has seen so far, as Floats where the elements fit them. */
struct float_extent {
    floats largest, least;
    ints is_strange;
};

inlined void see(struct float_extent *seen, floats x) {
    seen->largest = choose_float(x > seen->largest, x, seen->largest);
    seen->least = choose_float(x < seen->least, x, seen->least);
    seen->is_strange |= ((ints)x & INT32_MAX) >= 0x7F800000;
}

inlined struct number_lists_extent joined(const struct float_extent *seen) {
    struct number_lists_extent extent = {.is_finite = !any(seen->is_strange)};
    for (int lane = 0; lane < LANES; lane++) {
        if (seen->largest[lane] > extent.largest) extent.largest = seen->largest[lane];
        if (seen->least[lane] < extent.least) extent.least = seen->least[lane];
    }
    return extent;
}

/* binary16 by bit operations: shifted into place, the exponent is off by 127 - 15, which the product corrects, and
 * subnormals with it; infinities and NaNs keep an exponent of ones. */
inlined floats half(shorts pattern) {
    ints bits = __builtin_convertvector(pattern, ints), magnitude = bits & 0x7FFF;
    ints scaled = (ints)((floats)(magnitude << 13) * 0x1p112f);
    return (floats)(scaled | ((magnitude >= 0x7C00) & 0x7F800000) | ((bits & 0x8000) << 16));
}

inlined floats element(enum number_lists_type type, const uint8_t *source, size_t first, size_t count) {
    if (type == number_lists_f32) {
        floats x = {};
        memcpy(&x, source + 4 * first, 4 * count);
        return x;
    }
    shorts pattern = {};
    memcpy(&pattern, source + 2 * first, 2 * count);
    if (type == number_lists_f16) return half(pattern);
    /* bfloat16 is the upper half of a Float. */
    return (floats)(__builtin_convertvector(pattern, ints) << 16);
}

inlined struct number_lists_extent widen_floats(
    enum number_lists_type type, const uint8_t *source, size_t count, double *values) {
    struct float_extent seen = {};
    size_t first = 0;
    for (; first + LANES <= count; first += LANES) {
        floats x = element(type, source, first, LANES);
        see(&seen, x);
        if (values) store(values + first, __builtin_convertvector(x, doubles), LANES);
    }
    if (first < count) {
        floats x = element(type, source, first, count - first);
        see(&seen, x);
        if (values) store(values + first, __builtin_convertvector(x, doubles), count - first);
    }
    return joined(&seen);
}

inlined struct number_lists_extent widen_doubles(const uint8_t *source, size_t count, double *values) {
    doubles largest = {}, least = {};
    longs is_strange = {};
    for (size_t first = 0; first < count; first += LANES) {
        size_t some = count - first < LANES ? count - first : LANES;
        doubles x = {};
        if (some == LANES) memcpy(&x, source + 8 * first, 8 * LANES);
        else memcpy(&x, source + 8 * first, 8 * some);
        largest = choose(x > largest, x, largest);
        least = choose(x < least, x, least);
        is_strange |= ((longs)x & INT64_MAX) >= 0x7FF0000000000000;
        if (values) memcpy(values + first, &x, 8 * some);
    }
    struct number_lists_extent extent = {.is_finite = true};
    for (int lane = 0; lane < LANES; lane++) {
        if (largest[lane] > extent.largest) extent.largest = largest[lane];
        if (least[lane] < extent.least) extent.least = least[lane];
        if (is_strange[lane]) extent.is_finite = false;
    }
    return extent;
}

static struct number_lists_extent widen(enum number_lists_type type, const void *source, size_t count, double *values) {
    switch (type) {
    case number_lists_f64: return widen_doubles(source, count, values);
    case number_lists_f32: return widen_floats(number_lists_f32, source, count, values);
    case number_lists_f16: return widen_floats(number_lists_f16, source, count, values);
    case number_lists_bf16: return widen_floats(number_lists_bf16, source, count, values);
    }
    __builtin_trap();
}

static bool narrow(const double *values, size_t count, float *list) {
    ints is_strange = {};
    size_t first = 0;
    for (; first + LANES <= count; first += LANES) {
        floats x = __builtin_convertvector(load(values + first, LANES), floats);
        is_strange |= ((ints)x & INT32_MAX) >= 0x7F800000;
        memcpy(list + first, &x, sizeof x);
    }
    if (first < count) {
        floats x = __builtin_convertvector(load(values + first, count - first), floats);
        is_strange |= ((ints)x & INT32_MAX) >= 0x7F800000;
        memcpy(list + first, &x, (count - first) * sizeof(float));
    }
    return !any(is_strange);
}

static bool are_finite(const float *list, size_t count) {
    ints is_strange = {};
    size_t first = 0;
    for (; first + LANES <= count; first += LANES) {
        ints x;
        memcpy(&x, list + first, sizeof x);
        is_strange |= (x & INT32_MAX) >= 0x7F800000;
    }
    if (first < count) {
        ints x = {};
        memcpy(&x, list + first, (count - first) * sizeof(float));
        is_strange |= (x & INT32_MAX) >= 0x7F800000;
    }
    return !any(is_strange);
}

#endif
