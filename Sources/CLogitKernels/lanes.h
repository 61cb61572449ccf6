/* Vectors of LANES floats, for the instruction set that the including file has chosen. No include guard: each file
   includes it once, after defining LANES, WIDE (lanes of doubles), FUSED (1 where a * b + c is one rounding in hardware),
   SCALES (1 where one instruction multiplies by any power of two, however large or small), HARDWARE_HALVES (1 where
   binary16 is converted in hardware), TABLE_BITS (of exponential.h) and PREFETCH (bytes ahead). */

#include "logit_kernels.h"

#include <stdint.h>

/* One rounding for each operation unless fused() asks for otherwise, in debug and release builds alike. */
#pragma clang fp contract(off)

typedef float floats __attribute__((ext_vector_type(LANES)));
typedef int32_t integers __attribute__((ext_vector_type(LANES)));
typedef uint32_t patterns __attribute__((ext_vector_type(LANES)));
typedef uint16_t halves __attribute__((ext_vector_type(LANES)));
typedef int16_t all_shorts __attribute__((ext_vector_type(2 * LANES)));
typedef uint16_t all_halves __attribute__((ext_vector_type(2 * LANES)));
typedef double doubles __attribute__((ext_vector_type(LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE floats every(float value) { return (floats)(value); }
INLINE floats as_floats(patterns bits) { return (floats)bits; }
INLINE patterns as_patterns(floats values) { return (patterns)values; }

/* a * b + c */
INLINE floats fused(floats a, floats b, floats c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* The larger; b where one of them is NaN. */
INLINE floats larger(floats a, floats b) { return a > b ? a : b; }

/* The smaller; b where one of them is NaN. */
INLINE floats smaller(floats a, floats b) { return a < b ? a : b; }

INLINE floats load_floats(const unsigned char *at) {
    floats values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}

INLINE patterns load_patterns(const unsigned char *at) {
    patterns bits;
    __builtin_memcpy(&bits, at, sizeof bits);
    return bits;
}

/* IEEE 754 binary16, exactly. */
INLINE floats load_halves(const unsigned char *at) {
    halves bits;
    __builtin_memcpy(&bits, at, sizeof bits);
#if HARDWARE_HALVES
    typedef _Float16 half_floats __attribute__((ext_vector_type(LANES)));
    return __builtin_convertvector((half_floats)bits, floats);
#else
    patterns wide = __builtin_convertvector(bits, patterns);
    patterns magnitude = wide & 0x7FFF;
    /* Shifted into place the exponent is off by 127 - 15; the product corrects it and normalises subnormals. */
    patterns scaled = as_patterns(as_floats(magnitude << 13) * 0x1p112f);
    patterns special = (patterns)(magnitude >= 0x7C00) & 0x7F800000;
    return as_floats(scaled | special | (wide & 0x8000) << 16);
#endif
}

/* Two vectors of logits from the bytes at `at`. Of bfloat16, the first holds the even elements and the second the odd
   ones: the order doesn't matter for sums, and a Float whose upper half is one is had by a shift or a mask. */
INLINE void load_pair(const unsigned char *at, logit_kernels_element element, floats pair[2]) {
    switch (element) {
    case LOGIT_KERNELS_F32:
        pair[0] = load_floats(at);
        pair[1] = load_floats(at + sizeof(floats));
        break;
    case LOGIT_KERNELS_BF16: {
        patterns both = load_patterns(at);
        pair[0] = as_floats(both << 16);
        pair[1] = as_floats(both & 0xFFFF0000);
        break;
    }
    case LOGIT_KERNELS_F16:
        pair[0] = load_halves(at);
        pair[1] = load_halves(at + sizeof(halves));
        break;
    }
}

INLINE size_t element_size(logit_kernels_element element) { return element == LOGIT_KERNELS_F32 ? 4 : 2; }

/* count logits, then -inf up to `padded` elements. */
INLINE void copy_padded(
    unsigned char *to, const unsigned char *from, size_t count, size_t padded, logit_kernels_element element) {
    size_t size = element_size(element);
    __builtin_memcpy(to, from, count * size);
    for (size_t index = count; index < padded; index++) {
        uint32_t infinity = element == LOGIT_KERNELS_F32 ? 0xFF800000 : element == LOGIT_KERNELS_BF16 ? 0xFF80 : 0xFC00;
        __builtin_memcpy(to + index * size, &infinity, size);
    }
}
