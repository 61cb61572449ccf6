#include "png_unfilter.h"

#include <stdlib.h>

static uint8_t paeth(int left, int above, int corner) {
    int to_left = abs(above - corner), to_above = abs(left - corner), to_corner = abs(left + above - 2 * corner);
    if (to_left <= to_above && to_left <= to_corner) return (uint8_t)left;
    return (uint8_t)(to_above <= to_corner ? above : corner);
}

/* Bytes that have a pixel to their left. */
static void piece(int filter, uint8_t *row, const uint8_t *previous, size_t start, size_t end, size_t pixel) {
    switch (filter) {
        case 1:
            for (size_t i = start; i < end; i++) row[i] += row[i - pixel];
            break;
        case 2:
            for (size_t i = start; i < end; i++) row[i] += previous[i];
            break;
        case 3:
            for (size_t i = start; i < end; i++) row[i] += (uint8_t)((row[i - pixel] + previous[i]) / 2);
            break;
        case 4:
            for (size_t i = start; i < end; i++) row[i] += paeth(row[i - pixel], previous[i], previous[i - pixel]);
            break;
        default: break;
    }
}

int png_unfilter(
    int filter, uint8_t *row, const uint8_t *previous, size_t count, size_t pixel, work_watch *watch) {
    enum { at_once = 1 << 14 };
    if (filter < 0 || filter > 4) return 0;
    for (size_t i = 0; i < pixel && i < count; i++) {
        int predicted[5] = {0, 0, previous[i], previous[i] / 2, previous[i]};
        row[i] += (uint8_t)predicted[filter];
    }
    for (size_t start = pixel; start < count; start += at_once) {
        if (!work_watch_goes_on(watch, 2 * at_once)) return 0;
        piece(filter, row, previous, start, count - start < at_once ? count : start + at_once, pixel);
    }
    return 1;
}
