#include "instruction_sets.h"

/* The builtin asks the processor, and by XGETBV whether the operating system keeps the wide registers. */
const logit_kernels_table *logit_kernels_for(logit_kernels_instruction_set set) {
    switch (set) {
    case LOGIT_KERNELS_PORTABLE: return &logit_kernels_portable_table;
#if defined(__aarch64__)
    case LOGIT_KERNELS_NEON: return &logit_kernels_neon_table;
#else
    case LOGIT_KERNELS_NEON: return 0;
#endif
#if defined(__x86_64__)
    case LOGIT_KERNELS_AVX2:
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
            return &logit_kernels_avx2_table;
        return 0;
    case LOGIT_KERNELS_AVX512:
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512cd") && logit_kernels_for(LOGIT_KERNELS_AVX2))
            return &logit_kernels_avx512_table;
        return 0;
#else
    case LOGIT_KERNELS_AVX2:
    case LOGIT_KERNELS_AVX512: return 0;
#endif
    }
    return 0;
}

const logit_kernels_contrast_table *logit_kernels_contrast_for(logit_kernels_instruction_set set) {
    if (!logit_kernels_for(set)) return 0;
    switch (set) {
    case LOGIT_KERNELS_PORTABLE: return &logit_kernels_portable_contrast_table;
#if defined(__aarch64__)
    case LOGIT_KERNELS_NEON: return &logit_kernels_neon_contrast_table;
#else
    case LOGIT_KERNELS_NEON: return 0;
#endif
#if defined(__x86_64__)
    case LOGIT_KERNELS_AVX2: return &logit_kernels_avx2_contrast_table;
    case LOGIT_KERNELS_AVX512: return &logit_kernels_avx512_contrast_table;
#else
    case LOGIT_KERNELS_AVX2:
    case LOGIT_KERNELS_AVX512: return 0;
#endif
    }
    return 0;
}
