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

const logit_kernels_table logit_kernels_avx2_table = {maximum, add, add_pivoted};
const logit_kernels_contrast_table logit_kernels_avx2_contrast_table = CONTRAST_KERNELS;
#endif
