#ifndef NUMBER_LISTS_H
#define NUMBER_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inner loops over lists of numbers, compiled for each register width. Every result is the same bits at any width: no sum
 * is reassociated by one, and products and sums are never joined. Lists may start at any address of their element type;
 * `bytes` at any address at all. */

enum number_lists_type { number_lists_f64, number_lists_f32, number_lists_f16, number_lists_bf16 };

/* A list of numbers as it lies in memory, at any address: doubles or floats. */
struct number_lists_source {
    const void *first;
    bool are_floats;
};

/* What a list of numbers spans. */
struct number_lists_extent {
    /* The largest, or 0 where all are below it, and the least, or 0 where all are above it; NaN doesn't count. */
    double largest, least;
    bool is_finite;
};

/* Little-endian numbers widened exactly; `values` may be null where only the extent is wanted. */
struct number_lists_extent number_lists_widen(enum number_lists_type type, const void *bytes, size_t count, double *values);

/* Narrows to the nearest floats; whether all are finite. */
bool number_lists_narrow(const double *values, size_t count, float *floats);

bool number_lists_are_finite(const float *floats, size_t count);

/* The sum of those values where the mask is 1, in eight sums by position modulo 8 that the caller joins. */
void number_lists_sum(const double *values, const uint8_t *mask, size_t count, double sums[8]);

/* How many of a mask of 0 and 1 are 1. */
size_t number_lists_count(const uint8_t *mask, size_t count);

/* How often the first and the second of three lists have the same number where the mask is 1, the first and the third, and
 * the second and the third. */
void number_lists_count_equal(
    const struct number_lists_source lists[3], const uint8_t *mask, size_t count, size_t equal[3]);

/* How many values are above the threshold. */
size_t number_lists_count_above(const double *values, size_t count, double threshold);

/* chosen[i] = candidates[i] and values[i] > threshold, or >= threshold; `chosen` may be `candidates`. */
void number_lists_select(
    const double *values, const uint8_t *candidates, size_t count, double threshold, bool or_equal, uint8_t *chosen);

/* The values where the mask is 1, one behind the other; how many. `kept` has room for `count`. */
size_t number_lists_keep(const double *values, const uint8_t *mask, size_t count, double *kept);

struct number_lists_comparison {
    /* What the reference is raised by where the rise is taken relative to it. */
    double epsilon;
    /* A candidate rises by more than this. */
    double minimum;
    bool is_relative;
};

/* Lists of `count` numbers. All but the first three and `candidates` may be null where they aren't wanted. */
struct number_lists_compared {
    size_t count;
    struct number_lists_source anchor, reference;
    const uint8_t *response;
    /* By how much `reference` is above `anchor`, 0 outside the response. */
    double *rises;
    float *narrow_rises;
    /* That rise, or its share of the reference, where it is positive, else 0. */
    double *scores;
    float *narrow_scores;
    uint8_t *candidates;
    /* Of the rises, in eight sums by position modulo 8 that the caller joins. */
    double *sums;
    /* Whether all floats that were made are finite. */
    bool *are_finite;
};

void number_lists_compare(
    const struct number_lists_comparison *comparison, const struct number_lists_compared *lists);

/* Some of the values, among which the *rank-th largest (from 1) is what was the *rank-th largest of all: those of one of
 * many equal intervals. How many, in `some`, which has room for `count`; 0 where they can't be told apart so, and then the
 * rank is untouched. Whatever their order, the time is proportional to `count`. */
size_t number_lists_narrow_down(const double *values, size_t count, size_t *rank, double *some);

/* Widths of vector registers that there is code for: what the compiler's target has in any case, AVX2, AVX-512 (F, DQ, BW,
 * VL). */
enum number_lists_width { number_lists_width_baseline, number_lists_width_256, number_lists_width_512 };

/* Uses no wider registers than these, nor any that the processor lacks; how wide they are. For the whole process. */
enum number_lists_width number_lists_limit(enum number_lists_width width);

#endif
