#ifndef PERCEPTION_INSTRUCTION_SETS_H
#define PERCEPTION_INSTRUCTION_SETS_H

#include "contrast_kernels.h"
#include "logit_kernels.h"

extern const perception_kernels perception_portable_kernels;
extern const perception_contrast_kernels perception_portable_contrast_kernels;
#if defined(__aarch64__)
extern const perception_kernels perception_neon_kernels;
extern const perception_contrast_kernels perception_neon_contrast_kernels;
#endif
#if defined(__x86_64__)
extern const perception_kernels perception_avx2_kernels;
extern const perception_contrast_kernels perception_avx2_contrast_kernels;
extern const perception_kernels perception_avx512_kernels;
extern const perception_contrast_kernels perception_avx512_contrast_kernels;
#endif

#endif
