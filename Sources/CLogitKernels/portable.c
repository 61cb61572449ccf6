#include "instruction_sets.h"

#include <stdint.h>

#define LANES 4
#if defined(__ARM_FEATURE_FMA) || defined(__FMA__)
#define FUSED 1
#else
#define FUSED 0
#endif
#if defined(__aarch64__)
#define HARDWARE_HALVES 1
#else
#define HARDWARE_HALVES 0
#endif
#define TABLE_BITS 0
#define PREFETCH 2048
#include "lanes.h"
#include "exponential.h"
#include "statistics.h"
#include "wide.h"
#include "contrast.h"
#include "contrast_gradients.h"
#include "contrast_table.h"

const perception_kernels perception_portable_kernels = {maximum, add, add_anchored};
const perception_contrast_kernels perception_portable_contrast_kernels = CONTRAST_KERNELS;
