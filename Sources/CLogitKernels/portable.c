#include "instruction_sets.h"

#include <stdint.h>

/* Compilers without registers as wide take two instructions for one of these, and so have two chains of them at once.
   Nothing here is called across files by such a vector, whose passing would depend on the target. */
#pragma clang diagnostic ignored "-Wpsabi"
#define LANES 8
#define WIDE 2
#define FUSED 0
#define SCALES 0
#define HARDWARE_HALVES 0
#define TABLE_BITS 0
#define PREFETCH 2048
#include "all_kernels.h"

const logit_kernels_table logit_kernels_portable_table = {maximum, add, add_pivoted};
const logit_kernels_contrast_table logit_kernels_portable_contrast_table = CONTRAST_KERNELS;
