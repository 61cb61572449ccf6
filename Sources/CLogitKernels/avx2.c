#if defined(__x86_64__)
#include "instruction_sets.h"

#include <immintrin.h>
#include <stdint.h>

#define LANES 8
#define WIDE 4
#define FUSED 1
#define SCALES 0
#define HARDWARE_HALVES 1
#define TABLE_BITS 3
#define PREFETCH 2048

/* Of these functions alone: nothing else in the program may use what the machine may lack. */
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "all_kernels.h"
#pragma clang attribute pop

const perception_kernels perception_avx2_kernels = {maximum, add, add_anchored};
const perception_contrast_kernels perception_avx2_contrast_kernels = CONTRAST_KERNELS;
#endif
