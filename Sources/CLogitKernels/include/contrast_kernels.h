#ifndef PERCEPTION_CONTRAST_KERNELS_H
#define PERCEPTION_CONTRAST_KERNELS_H

/* Inner loops over one token's rows of logits: an anchor's, and those of one or two references. Unlike the statistics of
   a single row they run in Double lanes: a divergence of near-equal rows is a small difference of large sums, which the
   loss then divides by a temperature of its own, and a gradient is the difference of two probabilities. All results
   depend on the rows and the instruction set alone. */

#include "logit_kernels.h"

/* Rows stand in lists: the anchor's first, then those of its references. */
enum { PERCEPTION_REFERENCES = 2, PERCEPTION_ROWS = 1 + PERCEPTION_REFERENCES };

/* Logits without NaN and +inf, one of them finite. With x = z - anchor, e = exp(x/T), and e * scale the probability. */
typedef struct perception_row {
    const void *logits;
    double anchor;    /* a logit near the top: no x/T is above 300 */
    double scale;     /* 1 / (sum of e) */
    double log_scale; /* its logarithm */
} perception_row;

/* For the anchor a and each reference r. */
typedef struct perception_contrast {
    double sum[PERCEPTION_ROWS]; /* of e */
    /* Of e_a * (x_a - x_r), in which -inf counts as -2^240. */
    double crossed[PERCEPTION_REFERENCES];
    /* The largest logit of a where r is -inf, and of r where a is; -inf where there is no such entry. */
    float uncovered[PERCEPTION_REFERENCES];
    float uncovering[PERCEPTION_REFERENCES];
} perception_contrast;

/* The two halves of a symmetric divergence: of the anchor and of the reference from what each is compared with.
     Jensen-Shannon   KL(a || m) and KL(r || m), m = (a + r)/2
     Jeffreys         KL(a || r) and KL(r || a) */
typedef struct perception_halves {
    double anchor[PERCEPTION_REFERENCES];
    double reference[PERCEPTION_REFERENCES];
} perception_halves;

/* What a reference r gives to the gradients, for p_a and p_r the probabilities:
     Kullback-Leibler   to a: slope * p_a * (x_a - x_r - anchor_level)/T      to r: slope * (p_r - p_a)
     Jensen-Shannon     to a: slope * p_a * (log(p_a/m) - anchor_level)       to r: slope * p_r * (log(p_r/m) - level)
     Jeffreys           to a: slope * (p_a * (log(p_a/p_r) - anchor_level) + p_a - p_r)     to r: with a and r exchanged */
typedef struct perception_slope {
    double slope; /* where it is 0, so is everything here */
    double anchor_level;
    double level;
} perception_slope;

/* Gradients of one row of the list. */
typedef struct perception_output {
    void *values;               /* null when it isn't wanted */
    perception_element element; /* F32, or BF16: the nearest to that Float, and of two the even one */
    int adds;                   /* whether it is added to what is there, F32 only, or else written over it */
} perception_output;

/* count >= 1 logits in each row, at any address; all of one element type. `references` is 1 or 2. */
typedef struct perception_contrast_kernels {
    void (*contrast)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        perception_contrast *result);

    void (*jensen_shannon)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        perception_halves *result);

    void (*jeffreys)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        perception_halves *result);

    /* Gradients of the rows. False where one doesn't fit what it is rounded to. */
    int (*kullback_leibler_gradient)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        const perception_slope *slopes, const perception_output *outputs);

    int (*jensen_shannon_gradient)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        const perception_slope *slopes, const perception_output *outputs);

    int (*jeffreys_gradient)(
        const perception_row *rows, int references, size_t count, perception_element element, double temperature,
        const perception_slope *slopes, const perception_output *outputs);

    /* The sum of e. */
    double (*sum)(const perception_row *row, size_t count, perception_element element, double temperature);

    /* factor * probability. False where one doesn't fit what it is rounded to. */
    int (*softmax)(
        const perception_row *row, size_t count, perception_element element, double temperature, double factor,
        const perception_output *output);

    /* Floats as the bfloat16 nearest to each, and of two the even one, at any address. False where one has none that is
       finite. The same bits by every instruction set. */
    int (*round_to_bfloat16)(const float *values, size_t count, void *results);
} perception_contrast_kernels;

/* Null when this machine or its operating system can't run the set. */
const perception_contrast_kernels *perception_contrast_kernels_for(perception_instruction_set set);

#endif
