#include "lanes.h"

/* Turns read down columns: within a tile, lines of the cache serve more than one pixel. */
enum { tile = 32 };

/* The number of pixels of a row processed at once. */
enum { piece = 1 << 14 };

static int keep_rows(
    const uint8_t *first, ptrdiff_t across, ptrdiff_t down, uint8_t *target, size_t width, size_t height,
    work_watch *watch) {
    const pixel_kernels *kernels = pixel_kernels_best();
    for (size_t y = 0; y < height; y++, first += down * 3, target += width * 3) {
        for (size_t x = 0; x < width; x += piece) {
            size_t count = width - x < piece ? width - x : piece;
            if (!work_watch_goes_on(watch, 3 * count)) return 0;
            if (across == 1)
                memcpy(target + x * 3, first + x * 3, count * 3);
            else
                kernels->reverse(first - (ptrdiff_t)(x + count - 1) * 3, count, target + x * 3);
        }
    }
    return 1;
}

int pixel_kernels_rearrange(
    const uint8_t *first, ptrdiff_t across, ptrdiff_t down, uint8_t *target, size_t width, size_t height,
    work_watch *watch) {
    if (across == 1 || across == -1) return keep_rows(first, across, down, target, width, height, watch);
    for (size_t top = 0; top < height; top += tile) {
        size_t bottom = top + tile < height ? top + tile : height;
        for (size_t left = 0; left < width; left += tile) {
            size_t right = left + tile < width ? left + tile : width;
            if (!work_watch_goes_on(watch, 8 * (bottom - top) * (right - left))) return 0;
            for (size_t y = top; y < bottom; y++) {
                const uint8_t *from = first + ((ptrdiff_t)left * across + (ptrdiff_t)y * down) * 3;
                uint8_t *out = target + (y * width + left) * 3;
                for (size_t x = left; x < right; x++, from += across * 3, out += 3) {
                    out[0] = from[0];
                    out[1] = from[1];
                    out[2] = from[2];
                }
            }
        }
    }
    return 1;
}
