/* Scores of tokens, and the k-th largest of them. */
#ifndef NUMBER_LISTS_RANKING_H
#define NUMBER_LISTS_RANKING_H

#include "vectors.h"

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

inlined void store_narrow(float *list, doubles values, size_t count, ints *is_strange) {
    floats narrow = __builtin_convertvector(values, floats);
    *is_strange |= ((ints)narrow & INT32_MAX) >= 0x7F800000;
    memcpy(list, &narrow, count * sizeof(float));
}

inlined void compare_some(
    const struct number_lists_comparison *comparison, bool is_relative, const struct number_lists_compared *lists,
    size_t first, size_t count, eight *sums, ints *is_strange) {
    doubles above = load_from(lists->reference, first, count), none = {};
    longs is_response = is_set(load_octets(lists->response + first, count));
    doubles rise = choose(is_response, above - load_from(lists->anchor, first, count), none);
    longs is_rising = rise > 0;
    doubles score = choose(is_rising, is_relative ? rise / (above + comparison->epsilon) : rise, none);
    eight parts[LANES / 8];
    memcpy(parts, &rise, sizeof parts);
    for (int part = 0; part < LANES / 8; part++) *sums += parts[part];
    if (lists->rises) store(lists->rises + first, rise, count);
    if (lists->narrow_rises) store_narrow(lists->narrow_rises + first, rise, count, is_strange);
    if (lists->scores) store(lists->scores + first, score, count);
    if (lists->narrow_scores) store_narrow(lists->narrow_scores + first, score, count, is_strange);
    store_octets(lists->candidates + first, is_rising & (rise > comparison->minimum), count);
}

inlined void compare_all(
    const struct number_lists_comparison *comparison, bool is_relative, const struct number_lists_compared *lists) {
    eight sums = {};
    ints is_strange = {};
    size_t first = 0;
    for (; first + LANES <= lists->count; first += LANES)
        compare_some(comparison, is_relative, lists, first, LANES, &sums, &is_strange);
    if (first < lists->count)
        compare_some(comparison, is_relative, lists, first, lists->count - first, &sums, &is_strange);
    if (lists->sums) memcpy(lists->sums, &sums, sizeof sums);
    if (lists->are_finite) *lists->are_finite = !any(is_strange);
}

static void compare(const struct number_lists_comparison *comparison, const struct number_lists_compared *lists) {
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

#endif
