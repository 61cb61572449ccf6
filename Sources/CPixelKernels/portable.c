#include "lanes.h"
#include "kernels.h"

static const pixel_kernels portable = ALL_KERNELS;

const pixel_kernels *pixel_kernels_portable_table(void) { return &portable; }

size_t pixel_kernels_convolve_scratch(size_t width, size_t taps) {
    size_t radius = taps / 2, made = width < stretch ? width : stretch;
    size_t taken = width - made < 2 * radius ? width : made + 2 * radius;
    return taps * whole_blocks(taken * 3) + whole_blocks(made * 3) + 6 * radius + 2 * block_lanes;
}

size_t pixel_kernels_resample_scratch(pixel_kernels_axis across, pixel_kernels_axis down) { return lay_out(across, down).bytes; }
