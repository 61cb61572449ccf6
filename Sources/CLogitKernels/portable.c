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
#define SATURATES 0
#define PREFETCH 2048
#include "lanes.h"
#include "statistics.h"

const perception_kernels perception_portable_kernels = {maximum, add, add_anchored};
