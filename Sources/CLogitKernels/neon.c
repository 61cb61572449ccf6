#if defined(__aarch64__)
#include "instruction_sets.h"

#include <stdint.h>

#define LANES 4
#define WIDE 2
#define FUSED 1
#define SCALES 0
#define HARDWARE_HALVES 1
#define TABLE_BITS 0
#define PREFETCH 2048
#include "all_kernels.h"

const logit_kernels_table logit_kernels_neon_table = {maximum, add, add_pivoted};
const logit_kernels_contrast_table logit_kernels_neon_contrast_table = CONTRAST_KERNELS;
#endif
