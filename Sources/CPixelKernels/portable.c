#include "lanes.h"
#include "kernels.h"

static const pixel_kernels portable = ALL_KERNELS;

const pixel_kernels *pixel_kernels_portable_table(void) { return &portable; }

size_t pixel_convolve_scratch(size_t width, size_t taps) {
    return (taps + 1) * whole_blocks(width * 3) + 6 * (taps / 2) + block_lanes;
}
