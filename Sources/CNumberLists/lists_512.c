#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)
#define LANES 32

/* What the generic loop does one by one. */
static inline __attribute__((always_inline)) size_t keep_eight(const double *values, const uint8_t *mask, double *kept) {
    __mmask8 wanted = (__mmask8)_mm_test_epi8_mask(_mm_loadl_epi64((const __m128i *)mask), _mm_set1_epi8(1));
    _mm512_storeu_pd(kept, _mm512_maskz_compress_pd(wanted, _mm512_loadu_pd(values)));
    return (size_t)__builtin_popcount(wanted);
}
#define KEEP_EIGHT keep_eight
#include "lists.h"

const struct number_kernels number_kernels_512 = NUMBER_KERNELS;
#pragma clang attribute pop
#endif
