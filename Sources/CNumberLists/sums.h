/* Sums and counts over lists. */
#ifndef NUMBER_LISTS_SUMS_H
#define NUMBER_LISTS_SUMS_H

#include "vectors.h"

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

static void count_equal(const struct number_lists_source lists[3], const uint8_t *mask, size_t count, size_t equal[3]) {
    longs totals[3] = {};
    for (size_t first = 0; first < count; first += LANES) {
        size_t some = count - first < LANES ? count - first : LANES;
        octets wanted;
        doubles values[3];
        if (some == LANES) {
            wanted = load_octets(mask + first, LANES);
            for (int list = 0; list < 3; list++) values[list] = load_from(lists[list], first, LANES);
        } else {
            wanted = load_octets(mask + first, some);
            for (int list = 0; list < 3; list++) values[list] = load_from(lists[list], first, some);
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

#endif
