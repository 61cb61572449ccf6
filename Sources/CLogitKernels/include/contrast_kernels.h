#ifndef PERCEPTION_CONTRAST_KERNELS_H
#define PERCEPTION_CONTRAST_KERNELS_H

/* Inner loops over one token's rows of logits under the three views: original a, preserving p, removing n. Unlike the
   statistics of a single row they run in Double lanes: a divergence of near-equal rows is a small difference of large
   sums, which the loss then divides by a temperature of its own, and a gradient is the difference of two probabilities.
   All results depend on the rows and the instruction set alone. */

#include "logit_kernels.h"

enum { PERCEPTION_ORIGINAL = 0, PERCEPTION_PRESERVING, PERCEPTION_REMOVING, PERCEPTION_VIEWS };

/* Logits without NaN and +inf, one of them finite. With x = z - anchor, e = exp(x/T), and e * scale the probability. */
typedef struct perception_row {
    const void *logits;
    double anchor;    /* a logit near the top: no x/T is above 300 */
    double scale;     /* 1 / (sum of e) */
    double log_scale; /* its logarithm */
} perception_row;

typedef struct perception_contrast {
    double sum[PERCEPTION_VIEWS]; /* of e */
    /* Of e_a * (x_a - x_r) for r = p and n, in which -inf counts as -2^240. */
    double crossed[2];
    /* The largest logit of a where r is -inf; -inf where there is no such entry. */
    float uncovered[2];
} perception_contrast;

/* KL(a || m) and KL(r || m) for r = p and n, m = (a + r)/2. */
typedef struct perception_mixture {
    double anchor[2];
    double reference[2];
} perception_mixture;

/* What a reference r gives to the gradients, for p_a and p_r the probabilities:
     Kullback-Leibler   to a: slope * p_a * (x_a - x_r - anchor_level)/T      to r: slope * (p_r - p_a)
     Jensen-Shannon     to a: slope * p_a * (log(p_a/m) - anchor_level)       to r: slope * p_r * (log(p_r/m) - level) */
typedef struct perception_slope {
    double slope; /* where it is 0, so is everything here */
    double anchor_level;
    double level;
} perception_slope;

/* count >= 1 logits in each row, at any address; all three of one element type. */
typedef struct perception_contrast_kernels {
    void (*contrast)(
        const perception_row rows[PERCEPTION_VIEWS], size_t count, perception_element element, double temperature,
        perception_contrast *result);

    void (*mixture)(
        const perception_row rows[PERCEPTION_VIEWS], size_t count, perception_element element, double temperature,
        perception_mixture *result);

    /* Gradients of the three rows; null for one that is not wanted. False where one doesn't fit a Float. */
    int (*kullback_leibler_gradient)(
        const perception_row rows[PERCEPTION_VIEWS], size_t count, perception_element element, double temperature,
        const perception_slope slopes[2], float *const outputs[PERCEPTION_VIEWS]);

    int (*jensen_shannon_gradient)(
        const perception_row rows[PERCEPTION_VIEWS], size_t count, perception_element element, double temperature,
        const perception_slope slopes[2], float *const outputs[PERCEPTION_VIEWS]);

    /* The sum of e. */
    double (*sum)(const perception_row *row, size_t count, perception_element element, double temperature);

    /* factor * probability. False where one doesn't fit a Float. */
    int (*softmax)(
        const perception_row *row, size_t count, perception_element element, double temperature, double factor,
        float *output);
} perception_contrast_kernels;

/* Null when this machine or its operating system can't run the set. */
const perception_contrast_kernels *perception_contrast_kernels_for(perception_instruction_set set);

#endif
