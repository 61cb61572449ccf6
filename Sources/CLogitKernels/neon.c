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

const perception_kernels perception_neon_kernels = {maximum, add, add_anchored};
const perception_contrast_kernels perception_neon_contrast_kernels = CONTRAST_KERNELS;
#endif
