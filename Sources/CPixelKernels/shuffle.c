#include "lanes.h"

/* Sixteen at a time; the last sixteen may overlap those before. */
KERNEL void copy_bytes(uint8_t *to, const uint8_t *from, size_t count) {
    if (count < 16) {
        memcpy(to, from, count);
        return;
    }
    for (size_t i = 0; i + 16 <= count; i += 16) memcpy(to + i, from + i, 16);
    memcpy(to + count - 16, from + count - 16, 16);
}

/* The number of bytes of a row copied at once. */
enum { piece = 1 << 15 };

KERNEL int copy_row(uint8_t *to, const uint8_t *from, size_t count, work_watch *watch) {
    for (size_t done = 0; done < count; done += piece) {
        size_t bytes = count - done < piece ? count - done : piece;
        if (!work_watch_goes_on(watch, 16 + bytes)) return 0;
        copy_bytes(to + done, from + done, bytes);
    }
    return 1;
}

int pixel_kernels_shuffle(
    pixel_kernels_picture picture, uint8_t *target, size_t side, const uint32_t *order, work_watch *watch) {
    size_t stride = picture.width * 3, columns = picture.width / side, rows = picture.height / side;
    size_t cell = side * 3, covered = columns * cell;
    for (size_t row = 0; row < rows && columns > 0; row++) {
        for (size_t column = 0; column < columns; column++, order++) {
            const uint8_t *from = picture.samples + *order / columns * side * stride + *order % columns * cell;
            uint8_t *to = target + row * side * stride + column * cell;
            for (size_t y = 0; y < side; y++)
                if (!copy_row(to + y * stride, from + y * stride, cell, watch)) return 0;
        }
        for (size_t y = row * side; covered < stride && y < (row + 1) * side; y++) {
            size_t at = y * stride + covered;
            if (!copy_row(target + at, picture.samples + at, stride - covered, watch)) return 0;
        }
    }
    /* Below the whole cells, or all of it where there are none. */
    size_t done = columns > 0 ? rows * side * stride : 0;
    return copy_row(target + done, picture.samples + done, picture.height * stride - done, watch);
}
