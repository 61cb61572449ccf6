/* Vectors of the sizes the kernels think in; the compiler splits them where registers are narrower. */
#ifndef PERCEPTION_PIXEL_LANES_H
#define PERCEPTION_PIXEL_LANES_H

#include <stdint.h>
#include <string.h>

#include "pixel_kernels.h"

typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x32 __attribute__((vector_size(32)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef uint64_t u64x4 __attribute__((vector_size(32)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef double f64x4 __attribute__((vector_size(32)));

/* Vectors are never passed between functions that are really called: all are inlined. */
#pragma clang diagnostic ignored "-Wpsabi"
#define KERNEL static inline __attribute__((always_inline))

#endif
