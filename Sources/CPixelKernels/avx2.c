#include "lanes.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop

static const pixel_kernels avx2 = ALL_KERNELS;

const pixel_kernels *pixel_kernels_best(void) {
    return __builtin_cpu_supports("avx2") ? &avx2 : pixel_kernels_portable_table();
}

#else

const pixel_kernels *pixel_kernels_best(void) { return pixel_kernels_portable_table(); }

#endif
