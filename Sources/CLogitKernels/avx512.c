#if defined(__x86_64__)
#include "instruction_sets.h"

#include <immintrin.h>
#include <stdint.h>

#define LANES 16
#define WIDE 8
#define FUSED 1
#define SCALES 1
#define HARDWARE_HALVES 1
#define TABLE_BITS 5
#define PREFETCH 2048

/* Of these functions alone: nothing else in the program may use what the machine may lack. */
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"))), apply_to = function)
#include "all_kernels.h"
#pragma clang attribute pop

const logit_kernels_table logit_kernels_avx512_table = {maximum, add, add_pivoted};
const logit_kernels_contrast_table logit_kernels_avx512_contrast_table = CONTRAST_KERNELS;
#endif
