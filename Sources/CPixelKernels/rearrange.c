#include "lanes.h"

/* Turns read down columns: within a tile, lines of the cache serve more than one pixel. */
enum { tile = 32 };

void pixel_rearrange(
    const uint8_t *first, ptrdiff_t across, ptrdiff_t down, uint8_t *target, size_t width, size_t height) {
    if (across == 1 || across == -1) {
        for (size_t y = 0; y < height; y++, first += down * 3, target += width * 3) {
            if (across == 1)
                memcpy(target, first, width * 3);
            else
                pixel_kernels_best()->reverse(first - (ptrdiff_t)(width - 1) * 3, width, target);
        }
        return;
    }
    for (size_t top = 0; top < height; top += tile) {
        size_t bottom = top + tile < height ? top + tile : height;
        for (size_t left = 0; left < width; left += tile) {
            size_t right = left + tile < width ? left + tile : width;
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
}
