#ifndef PERCEPTION_INSTRUCTION_SETS_H
#define PERCEPTION_INSTRUCTION_SETS_H

#include "contrast_kernels.h"
#include "logit_kernels.h"

extern const logit_kernels_table logit_kernels_portable_table;
extern const logit_kernels_contrast_table logit_kernels_portable_contrast_table;
#if defined(__aarch64__)
extern const logit_kernels_table logit_kernels_neon_table;
extern const logit_kernels_contrast_table logit_kernels_neon_contrast_table;
#endif
#if defined(__x86_64__)
extern const logit_kernels_table logit_kernels_avx2_table;
extern const logit_kernels_contrast_table logit_kernels_avx2_contrast_table;
extern const logit_kernels_table logit_kernels_avx512_table;
extern const logit_kernels_contrast_table logit_kernels_avx512_contrast_table;
#endif

#endif
