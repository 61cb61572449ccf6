#ifndef PERCEPTION_CONTRAST_KERNELS_H
#define PERCEPTION_CONTRAST_KERNELS_H

/* Inner loops over one token's rows of logits: an anchor's, and those of one or two references. Unlike the statistics of
   a single row they run in Double lanes: a divergence of near-equal rows is a small difference of large sums, which the
   loss then divides by a temperature of its own, and a gradient is the difference of two probabilities. All results
   depend on the rows and the instruction set alone. */

#include "logit_kernels.h"

/* Rows stand in lists: the anchor's first, then those of its references. */
enum { LOGIT_KERNELS_REFERENCES = 2, LOGIT_KERNELS_ROWS = 1 + LOGIT_KERNELS_REFERENCES };

/* Logits without NaN and +inf, one of them finite. With x = z - pivot, e = exp(x/T), and e * scale the probability. */
typedef struct logit_kernels_row {
    const void *logits;
    double pivot;     /* a logit near the top: no x/T is above 300 */
    double scale;     /* 1 / (sum of e) */
    double log_scale; /* its logarithm */
} logit_kernels_row;

/* For the anchor a and each reference r. */
typedef struct logit_kernels_contrast {
    double sum[LOGIT_KERNELS_ROWS]; /* of e */
    /* Of e_a * (x_a - x_r), in which -inf counts as -2^240. */
    double crossed[LOGIT_KERNELS_REFERENCES];
    /* The largest logit of a where r is -inf, and of r where a is; -inf where there is no such entry. */
    float uncovered[LOGIT_KERNELS_REFERENCES];
    float uncovering[LOGIT_KERNELS_REFERENCES];
} logit_kernels_contrast;

/* The two halves of a symmetric divergence: of the anchor and of the reference from what each is compared with.
     Jensen-Shannon   KL(a || m) and KL(r || m), m = (a + r)/2
     Jeffreys         KL(a || r) and KL(r || a) */
typedef struct logit_kernels_halves {
    double anchor[LOGIT_KERNELS_REFERENCES];
    double reference[LOGIT_KERNELS_REFERENCES];
} logit_kernels_halves;

/* What a reference r gives to the gradients, for p_a and p_r the probabilities:
     Kullback-Leibler   to a: slope * p_a * (x_a - x_r - anchor_level)/T      to r: slope * (p_r - p_a)
     Jensen-Shannon     to a: slope * p_a * (log(p_a/m) - anchor_level)       to r: slope * p_r * (log(p_r/m) - level)
     Jeffreys           to a: slope * (p_a * (log(p_a/p_r) - anchor_level) + p_a - p_r)     to r: with a and r exchanged */
typedef struct logit_kernels_slope {
    double slope; /* where it is 0, so is everything here */
    double anchor_level;
    double level;
} logit_kernels_slope;

/* Gradients of one row of the list. */
typedef struct logit_kernels_output {
    void *values;               /* null when it isn't wanted */
    logit_kernels_element element; /* F32, or BF16: the nearest to that Float, and of two the even one */
    int adds;                   /* whether it is added to what is there, F32 only, or else written over it */
} logit_kernels_output;

/* count >= 1 logits in each row, at any address; all of one element type. `references` is 1 or 2. */
typedef struct logit_kernels_contrast_table {
    void (*contrast)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        logit_kernels_contrast *result);

    void (*jensen_shannon)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        logit_kernels_halves *result);

    void (*jeffreys)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        logit_kernels_halves *result);

    /* Gradients of the rows. False where one doesn't fit what it is rounded to. */
    int (*kullback_leibler_gradient)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        const logit_kernels_slope *slopes, const logit_kernels_output *outputs);

    int (*jensen_shannon_gradient)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        const logit_kernels_slope *slopes, const logit_kernels_output *outputs);

    int (*jeffreys_gradient)(
        const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
        const logit_kernels_slope *slopes, const logit_kernels_output *outputs);

    /* The sum of e. */
    double (*sum)(const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature);

    /* factor * probability. False where one doesn't fit what it is rounded to. */
    int (*softmax)(
        const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature, double factor,
        const logit_kernels_output *output);

    /* Floats as the bfloat16 nearest to each, and of two the even one, at any address. False where one has none that is
       finite. The same bits by every instruction set. */
    int (*round_to_bfloat16)(const float *values, size_t count, void *results);
} logit_kernels_contrast_table;

/* Null when this machine or its operating system can't run the set. */
const logit_kernels_contrast_table *logit_kernels_contrast_for(logit_kernels_instruction_set set);

#endif
