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

const perception_kernels perception_portable_kernels = {maximum, add, add_anchored};
const perception_contrast_kernels perception_portable_contrast_kernels = CONTRAST_KERNELS;
