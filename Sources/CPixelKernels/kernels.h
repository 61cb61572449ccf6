/* All kernels, for one instruction set. Included once by each table, after lanes.h. */

/* A product and a sum that are rounded together would give other pixels on machines that can. */
#pragma STDC FP_CONTRACT OFF

#include "blend.h"
#include "convolve.h"
#include "weights.h"
#include "resample.h"
#include "reverse.h"
#include "sample_lanes.h"
#include "sample.h"
#include "hue.h"

#define ALL_KERNELS                                                                                          \
    {                                                                                                        \
        .blend_level = blend_level, .blend_luma = blend_luma, .luma_sum = luma_sum, .convolve = convolve,    \
        .resample = resample, .reverse = reverse, .turn_hue = turn_hue,                                      \
        .affine_bilinear = affine_bilinear, .affine_nearest = affine_nearest, .affine_fixed = affine_fixed, .perspective_bilinear = perspective_bilinear,                          \
        .perspective_nearest = perspective_nearest,                                                          \
    }
