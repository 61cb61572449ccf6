#ifndef PERCEPTION_LOGIT_KERNELS_H
#define PERCEPTION_LOGIT_KERNELS_H

/* Inner loops over rows of logits, once for each instruction set. C, because only C can compile a single function for
   another instruction set than its neighbours: a whole Swift module compiled for one would emit shared symbols (such as
   specialised standard-library code) for it, which the linker may hand to the rest of the program. Every function that
   is compiled for more than the baseline is static here and reached through a table that the processor was asked about
   first. All results depend on the row and the instruction set alone. */

#include <stddef.h>

typedef enum perception_instruction_set {
    PERCEPTION_PORTABLE = 0, /* vectors of the C compiler's own, with the same bits on every processor */
    PERCEPTION_NEON,         /* Advanced SIMD, which every 64-bit Arm processor has: with FMA and binary16 conversions */
    PERCEPTION_AVX2,         /* AVX2, FMA and F16C: x86-64-v3 */
    PERCEPTION_AVX512        /* AVX-512 F, BW, DQ, VL, CD: x86-64-v4 */
} perception_instruction_set;

typedef enum perception_element { PERCEPTION_F32 = 0, PERCEPTION_BF16, PERCEPTION_F16 } perception_element;

/* Elements whose sums run in Float; blocks start at multiples of it from the row's start. */
enum { PERCEPTION_BLOCK = 1024 };

/* Where a row's sums stand. One logit near the top, the anchor, is left out of them, so that a distribution that is
   almost certain keeps the digits of what little the others have. With rate = log2(e)/T: e_i = 2^(z_i * rate - reference),
   and 0 for logits that are e^-87 of the anchor or less. */
typedef struct perception_sums {
    double rate;      /* 2^-20 to 2^20; quicker where it is a Float */
    double reference; /* a whole number next to anchor * rate, |reference| <= 2^16 */
    float anchor;
    float centre;     /* where the next block's weights are counted from */
    double sum;       /* of e_i */
    double weighted;  /* sum of e_i * (z_i - anchor) */
} perception_sums;

typedef struct perception_maximum {
    float maximum; /* of the numbers; -inf when there is none */
    int has_nan;
} perception_maximum;

typedef struct perception_kernels {
    /* Largest of count <= PERCEPTION_BLOCK logits. */
    perception_maximum (*maximum)(const void *logits, size_t count, perception_element element);

    /* Adds whole blocks, then what is left, until a block holds NaN, +inf or more than the anchor by so much that a new
       anchor is due; returns how many logits were added. The first block must have been added by add_anchored. */
    size_t (*add)(const void *logits, size_t count, perception_element element, perception_sums *sums);

    /* Adds one block of at most PERCEPTION_BLOCK logits whose maximum the anchor is, leaving out those equal to it;
       returns how many these are, or 0 with nothing added when sums in Float overflow. */
    size_t (*add_anchored)(const void *logits, size_t count, perception_element element, perception_sums *sums);
} perception_kernels;

/* Null when this machine or its operating system can't run the set. */
const perception_kernels *perception_kernels_for(perception_instruction_set set);

#endif
