/* Inner loops over lists. Each register width has a file that includes this one and has it compiled for its instructions:
 * one source, so that all widths compute the same. LANES is a multiple of 8. */
#ifndef NUMBER_LISTS_LISTS_H
#define NUMBER_LISTS_LISTS_H

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

inlined struct number_extent joined(const struct float_extent *seen) {
    struct number_extent extent = {.is_finite = !any(seen->is_strange)};
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

inlined floats element(enum number_type type, const uint8_t *source, size_t first, size_t count) {
    if (type == number_f32) {
        floats x = {};
        memcpy(&x, source + 4 * first, 4 * count);
        return x;
    }
    shorts pattern = {};
    memcpy(&pattern, source + 2 * first, 2 * count);
    if (type == number_f16) return half(pattern);
    /* bfloat16 is the upper half of a Float. */
    return (floats)(__builtin_convertvector(pattern, ints) << 16);
}

inlined struct number_extent widen_floats(
    enum number_type type, const uint8_t *source, size_t count, double *values) {
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

inlined struct number_extent widen_doubles(const uint8_t *source, size_t count, double *values) {
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
    struct number_extent extent = {.is_finite = true};
    for (int lane = 0; lane < LANES; lane++) {
        if (largest[lane] > extent.largest) extent.largest = largest[lane];
        if (least[lane] < extent.least) extent.least = least[lane];
        if (is_strange[lane]) extent.is_finite = false;
    }
    return extent;
}

static struct number_extent widen(enum number_type type, const void *source, size_t count, double *values) {
    switch (type) {
    case number_f64: return widen_doubles(source, count, values);
    case number_f32: return widen_floats(number_f32, source, count, values);
    case number_f16: return widen_floats(number_f16, source, count, values);
    case number_bf16: return widen_floats(number_bf16, source, count, values);
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

static void sum(const double *values, const uint8_t *mask, size_t count, double sums[8]) {
    eight total = {};
    size_t first = 0;
    for (; first + 8 <= count; first += 8) {
        eight x;
        eight_octets wanted;
        memcpy(&x, values + first, sizeof x);
        memcpy(&wanted, mask + first, sizeof wanted);
        eight_longs flags = __builtin_convertvector(wanted, eight_longs) == 1;
        total += (eight)((eight_longs)x & flags);
    }
    for (size_t index = first; index < count; index++)
        if (mask[index] == 1) total[index - first] += values[index];
    memcpy(sums, &total, sizeof total);
}

static size_t count_set(const uint8_t *mask, size_t count) {
    size_t total = 0, first = 0;
    while (first + LANES <= count) {
        /* A byte holds no more. */
        octets sums = {};
        for (int steps = 0; steps < 255 && first + LANES <= count; steps++, first += LANES)
            sums += load_octets(mask + first, LANES);
        for (int lane = 0; lane < LANES; lane++) total += sums[lane];
    }
    for (; first < count; first++) total += mask[first];
    return total;
}

static void count_equal(const double *const lists[3], const uint8_t *mask, size_t count, size_t equal[3]) {
    longs totals[3] = {};
    for (size_t first = 0; first < count; first += LANES) {
        size_t some = count - first < LANES ? count - first : LANES;
        octets wanted;
        doubles values[3];
        if (some == LANES) {
            wanted = load_octets(mask + first, LANES);
            for (int list = 0; list < 3; list++) values[list] = load(lists[list] + first, LANES);
        } else {
            wanted = load_octets(mask + first, some);
            for (int list = 0; list < 3; list++) values[list] = load(lists[list] + first, some);
        }
        longs flags = is_set(wanted);
        totals[0] -= (values[0] == values[1]) & flags;
        totals[1] -= (values[0] == values[2]) & flags;
        totals[2] -= (values[1] == values[2]) & flags;
    }
    for (int pair = 0; pair < 3; pair++) {
        equal[pair] = 0;
        for (int lane = 0; lane < LANES; lane++) equal[pair] += (size_t)totals[pair][lane];
    }
}

static size_t count_above(const double *values, size_t count, double threshold) {
    longs total = {};
    size_t first = 0;
    for (; first + LANES <= count; first += LANES) total -= load(values + first, LANES) > threshold;
    size_t found = 0;
    for (int lane = 0; lane < LANES; lane++) found += (size_t)total[lane];
    for (; first < count; first++) found += values[first] > threshold;
    return found;
}

inlined void choose_some(
    const double *values, const uint8_t *candidates, size_t count, double threshold, bool or_equal, uint8_t *chosen) {
    doubles x = load(values, count);
    longs flags = or_equal ? x >= threshold : x > threshold;
    store_octets(chosen, flags & is_set(load_octets(candidates, count)), count);
}

static void choose_from(
    const double *values, const uint8_t *candidates, size_t count, double threshold, bool or_equal, uint8_t *chosen) {
    size_t first = 0;
    for (; first + LANES <= count; first += LANES)
        choose_some(values + first, candidates + first, LANES, threshold, or_equal, chosen + first);
    if (first < count)
        choose_some(values + first, candidates + first, count - first, threshold, or_equal, chosen + first);
}

static size_t keep(const double *values, const uint8_t *mask, size_t count, double *kept) {
    size_t found = 0, first = 0;
#ifdef KEEP_EIGHT
    for (; first + 8 <= count; first += 8) found += KEEP_EIGHT(values + first, mask + first, kept + found);
#endif
    /* Without a branch, as which are wanted can't be foreseen: every value is written, the next one over it unless it
     * counts. */
    for (; first < count; first++) {
        kept[found] = values[first];
        found += mask[first];
    }
    return found;
}

inlined void store_narrow(float *list, doubles values, size_t count) {
    floats narrow = __builtin_convertvector(values, floats);
    memcpy(list, &narrow, count * sizeof(float));
}

inlined void compare_some(
    const struct number_comparison *comparison, bool is_relative, const struct number_comparison_lists *lists,
    size_t first, size_t count, eight *sums) {
    doubles above = load(lists->reference + first, count), none = {};
    longs is_response = is_set(load_octets(lists->response + first, count));
    doubles rise = choose(is_response, above - load(lists->anchor + first, count), none);
    longs is_rising = rise > 0;
    doubles score = choose(is_rising, is_relative ? rise / (above + comparison->epsilon) : rise, none);
    eight parts[LANES / 8];
    memcpy(parts, &rise, sizeof parts);
    for (int part = 0; part < LANES / 8; part++) *sums += parts[part];
    if (lists->rises) store(lists->rises + first, rise, count);
    if (lists->narrow_rises) store_narrow(lists->narrow_rises + first, rise, count);
    if (lists->scores) store(lists->scores + first, score, count);
    if (lists->narrow_scores) store_narrow(lists->narrow_scores + first, score, count);
    store_octets(lists->candidates + first, is_rising & (rise > comparison->minimum), count);
}

inlined void compare_all(
    const struct number_comparison *comparison, bool is_relative, const struct number_comparison_lists *lists) {
    eight sums = {};
    size_t first = 0;
    for (; first + LANES <= lists->count; first += LANES)
        compare_some(comparison, is_relative, lists, first, LANES, &sums);
    if (first < lists->count) compare_some(comparison, is_relative, lists, first, lists->count - first, &sums);
    if (lists->sums) memcpy(lists->sums, &sums, sizeof sums);
}

static void compare(const struct number_comparison *comparison, const struct number_comparison_lists *lists) {
    if (comparison->is_relative) compare_all(comparison, true, lists);
    else compare_all(comparison, false, lists);
}

enum { INTERVALS = 1024 };

/* Subtraction of one number, multiplication by one above 0 and truncation keep an order: no larger value is in a lower
 * interval. */
inlined ints interval(doubles x, double least, double scale) {
    return __builtin_convertvector((x - least) * scale, ints);
}

inlined int32_t number_at(const char *list, size_t index) {
    int32_t number;
    memcpy(&number, list + index * sizeof number, sizeof number);
    return number;
}

static size_t narrow_down(const double *values, size_t count, size_t *rank, double *some) {
    if (count < LANES) return 0;
    doubles largest = load(values, LANES), least = largest;
    longs is_strange = {};
    size_t last = count - LANES;
    for (size_t first = 0;; first = first + LANES < last ? first + LANES : last) {
        doubles x = load(values + first, LANES);
        largest = choose(x > largest, x, largest);
        least = choose(x < least, x, least);
        is_strange |= ((longs)x & INT64_MAX) >= 0x7FF0000000000000;
        if (first == last) break;
    }
    double high = largest[0], low = least[0];
    int64_t strangers = is_strange[0];
    for (int lane = 1; lane < LANES; lane++) {
        if (largest[lane] > high) high = largest[lane];
        if (least[lane] < low) low = least[lane];
        strangers |= is_strange[lane];
    }
    double scale = (INTERVALS - 1) / (high - low);
    /* Nor equal numbers, those so far apart that it is 0, or so near that it is infinite. */
    if (strangers || !(scale > 0 && scale < __builtin_inf())) return 0;

    /* Each value's interval, in the half of the room that is filled last: the values that are kept never catch up. */
    char *at = (char *)some + count * sizeof(int32_t);
    uint32_t counts[INTERVALS] = {};
    size_t first = 0;
    for (; first + LANES <= count; first += LANES) {
        ints found = interval(load(values + first, LANES), low, scale);
        memcpy(at + first * sizeof(int32_t), &found, sizeof found);
    }
    for (; first < count; first++) {
        int32_t found = (int32_t)((values[first] - low) * scale);
        memcpy(at + first * sizeof found, &found, sizeof found);
    }
    for (size_t index = 0; index < count; index++) counts[number_at(at, index)]++;

    size_t wanted = *rank;
    int32_t chosen = INTERVALS - 1;
    while (counts[chosen] < wanted) wanted -= counts[chosen--];

    size_t found = 0;
    for (size_t index = 0; index < count; index++) {
        bool is_chosen = number_at(at, index) == chosen;
        some[found] = values[index];
        found += is_chosen;
    }
    *rank = wanted;
    return found;
}

#define NUMBER_KERNELS \
    { \
        .widen = widen, .narrow = narrow, .are_finite = are_finite, .sum = sum, .count = count_set, \
        .count_equal = count_equal, .count_above = count_above, .select = choose_from, .keep = keep, .compare = compare, \
        .narrow_down = narrow_down, \
    }

#endif
