#ifndef NUMBER_LISTS_WIDTHS_H
#define NUMBER_LISTS_WIDTHS_H

#include "number_lists.h"

struct number_kernels {
    struct number_lists_extent (*widen)(enum number_lists_type type, const void *bytes, size_t count, double *values);
    bool (*narrow)(const double *values, size_t count, float *floats);
    bool (*are_finite)(const float *floats, size_t count);
    void (*sum)(const double *values, const uint8_t *mask, size_t count, double sums[8]);
    size_t (*count)(const uint8_t *mask, size_t count);
    void (*count_equal)(
        const struct number_lists_source lists[3], const uint8_t *mask, size_t count, size_t equal[3]);
    size_t (*count_above)(const double *values, size_t count, double threshold);
    void (*select)(
        const double *values, const uint8_t *candidates, size_t count, double threshold, bool or_equal,
        uint8_t *chosen);
    size_t (*keep)(const double *values, const uint8_t *mask, size_t count, double *kept);
    void (*compare)(const struct number_lists_comparison *comparison, const struct number_lists_compared *lists);
    size_t (*narrow_down)(const double *values, size_t count, size_t *rank, double *some);
};

extern const struct number_kernels number_kernels_baseline, number_kernels_256, number_kernels_512;

#endif
