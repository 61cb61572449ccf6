#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANES 16
#include "lists.h"

const struct number_kernels number_kernels_256 = NUMBER_KERNELS;
#pragma clang attribute pop
#endif
