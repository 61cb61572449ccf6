#include "instruction_sets.h"

/* The builtin asks the processor, and by XGETBV whether the operating system keeps the wide registers. */
const perception_kernels *perception_kernels_for(perception_instruction_set set) {
    switch (set) {
    case PERCEPTION_PORTABLE: return &perception_portable_kernels;
#if defined(__aarch64__)
    case PERCEPTION_NEON: return &perception_neon_kernels;
#else
    case PERCEPTION_NEON: return 0;
#endif
#if defined(__x86_64__)
    case PERCEPTION_AVX2:
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
            return &perception_avx2_kernels;
        return 0;
    case PERCEPTION_AVX512:
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512cd") && perception_kernels_for(PERCEPTION_AVX2))
            return &perception_avx512_kernels;
        return 0;
#else
    case PERCEPTION_AVX2:
    case PERCEPTION_AVX512: return 0;
#endif
    }
    return 0;
}

const perception_contrast_kernels *perception_contrast_kernels_for(perception_instruction_set set) {
    if (!perception_kernels_for(set)) return 0;
    switch (set) {
    case PERCEPTION_PORTABLE: return &perception_portable_contrast_kernels;
#if defined(__aarch64__)
    case PERCEPTION_NEON: return &perception_neon_contrast_kernels;
#else
    case PERCEPTION_NEON: return 0;
#endif
#if defined(__x86_64__)
    case PERCEPTION_AVX2: return &perception_avx2_contrast_kernels;
    case PERCEPTION_AVX512: return &perception_avx512_contrast_kernels;
#else
    case PERCEPTION_AVX2:
    case PERCEPTION_AVX512: return 0;
#endif
    }
    return 0;
}
