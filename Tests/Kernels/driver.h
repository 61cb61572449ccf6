#ifndef KERNEL_DRIVER_H
#define KERNEL_DRIVER_H

#include "contrast_kernels.h"
#include "logit_kernels.h"

#include <stdint.h>

typedef struct header {
    uint32_t rows;    /* 1, or 3: an anchor's and its references' */
    uint32_t element; /* a logit_kernels_element */
    uint64_t count;   /* logits in each row */
    double temperature;
} header;

typedef enum outcome {
    DEFINED = 0,
    NOT_A_NUMBER,
    POSITIVE_INFINITY,
    ALL_NEGATIVE_INFINITY,
    NOT_FOR_FLOATS /* what the caller would compute in Double */
} outcome;

typedef struct row_answer {
    double sum, weighted; /* the kernels' own, of what follows the last pivot */
    double underflows;    /* whether a number became too small for a Float, which takes many processors a hundred cycles */
    double outcome, log_sum_exp, entropy;
} row_answer;

/* A row as RowStatistics.swift takes it through the kernels. */
row_answer statistics_of(
    const logit_kernels_table *kernels, const unsigned char *row, size_t count, logit_kernels_element element,
    double temperature);

typedef struct contrast_answer {
    logit_kernels_contrast contrast;
    logit_kernels_halves jensen_shannon, jeffreys;
    double sum; /* of the anchor's row alone */
    double is_finite;
    double is_rounded; /* whether the gradients as bfloat16 are the Floats rounded, however they are made */
} contrast_answer;

/* Three rows' gradients of three divergences, and a softmax. */
enum { GRADIENTS = 3 * LOGIT_KERNELS_ROWS + 1 };

/* Gradients [GRADIENTS, count] as Floats and as bfloat16, with slopes 0.7 and -0.3, anchor levels 0.25 and -0.5, levels 0.125 and 0.75; the softmax times -2. */
contrast_answer contrast_of(
    const logit_kernels_contrast_table *kernels, const unsigned char *const rows[LOGIT_KERNELS_ROWS], size_t count,
    logit_kernels_element element, double temperature, float *gradients, uint16_t *brains);

#endif
