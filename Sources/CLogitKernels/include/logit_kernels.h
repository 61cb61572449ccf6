#ifndef PERCEPTION_LOGIT_KERNELS_H
#define PERCEPTION_LOGIT_KERNELS_H

/* Inner loops over rows of logits, once for each instruction set. C, because only C can compile a single function for
   another instruction set than its neighbours: a whole Swift module compiled for one would emit shared symbols (such as
   specialised standard-library code) for it, which the linker may hand to the rest of the program. Every function that
   is compiled for more than the baseline is static here and reached through a table that the processor was asked about
   first. All results depend on the row and the instruction set alone. */

#include <stddef.h>

typedef enum logit_kernels_instruction_set {
    LOGIT_KERNELS_PORTABLE = 0, /* vectors of the C compiler's own, with the same bits on every processor */
    LOGIT_KERNELS_NEON,         /* Advanced SIMD, which every 64-bit Arm processor has: with FMA and binary16 conversions */
    LOGIT_KERNELS_AVX2,         /* AVX2, FMA and F16C: x86-64-v3 */
    LOGIT_KERNELS_AVX512        /* AVX-512 F, BW, DQ, VL, CD: x86-64-v4 */
} logit_kernels_instruction_set;

typedef enum logit_kernels_element { LOGIT_KERNELS_F32 = 0, LOGIT_KERNELS_BF16, LOGIT_KERNELS_F16 } logit_kernels_element;

/* Elements whose sums run in Float; blocks start at multiples of it from the row's start. */
enum { LOGIT_KERNELS_BLOCK = 1024 };

/* Where a row's sums stand. One logit near the top, the pivot, is left out of them, so that a distribution that is
   almost certain keeps the digits of what little the others have. With rate = log2(e)/T: e_i = 2^(z_i * rate - reference),
   and 0 for logits that are e^-87 of the pivot or less. */
typedef struct logit_kernels_sums {
    double rate;      /* 2^-20 to 2^20; quicker where it is a Float */
    double reference; /* a whole number next to pivot * rate, |reference| <= 2^16 */
    float pivot;
    float centre;     /* where the next block's weights are counted from */
    double sum;       /* of e_i */
    double weighted;  /* sum of e_i * (z_i - pivot) */
} logit_kernels_sums;

typedef struct logit_kernels_maximum {
    float maximum; /* of the numbers; -inf when there is none */
    int has_nan;
} logit_kernels_maximum;

typedef struct logit_kernels_table {
    /* Largest of count <= LOGIT_KERNELS_BLOCK logits. */
    logit_kernels_maximum (*maximum)(const void *logits, size_t count, logit_kernels_element element);

    /* Adds whole blocks, then what is left, until a block holds NaN, +inf or more than the pivot by so much that a new
       pivot is due; returns how many logits were added. The first block must have been added by add_pivoted. */
    size_t (*add)(const void *logits, size_t count, logit_kernels_element element, logit_kernels_sums *sums);

    /* Adds one block of at most LOGIT_KERNELS_BLOCK logits whose maximum the pivot is, leaving out those equal to it;
       returns how many these are, or 0 with nothing added when sums in Float overflow. */
    size_t (*add_pivoted)(const void *logits, size_t count, logit_kernels_element element, logit_kernels_sums *sums);
} logit_kernels_table;

/* Null when this machine or its operating system can't run the set. */
const logit_kernels_table *logit_kernels_for(logit_kernels_instruction_set set);

#endif
