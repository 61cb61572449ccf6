#include "png_filter.h"

#include <string.h>

enum { pixel = 3 };

static uint64_t cost(const uint8_t *bytes, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t negative = (uint8_t)-bytes[i];
        sum += bytes[i] < negative ? bytes[i] : negative;
    }
    return sum;
}

static void sub(const uint8_t *row, size_t start, size_t end, uint8_t *out) {
    size_t i = start;
    for (; i < pixel; i++) out[i] = row[i];
    for (; i < end; i++) out[i] = (uint8_t)(row[i] - row[i - pixel]);
}

static void up(const uint8_t *row, const uint8_t *above, size_t start, size_t end, uint8_t *out) {
    for (size_t i = start; i < end; i++) out[i] = (uint8_t)(row[i] - above[i]);
}

static int16_t distance(int16_t a, int16_t b) { return (int16_t)(a > b ? a - b : b - a); }

static void paeth(const uint8_t *row, const uint8_t *above, size_t start, size_t end, uint8_t *out) {
    size_t i = start;
    for (; i < pixel; i++) out[i] = (uint8_t)(row[i] - above[i]);
    for (; i < end; i++) {
        int16_t left = row[i - pixel], up = above[i], corner = above[i - pixel];
        int16_t to_left = distance(up, corner), to_up = distance(left, corner);
        int16_t to_corner = distance((int16_t)(left + up), (int16_t)(2 * corner));
        int16_t rest = to_up <= to_corner ? up : corner;
        int16_t nearest = to_left <= to_up && to_left <= to_corner ? left : rest;
        out[i] = (uint8_t)(row[i] - nearest);
    }
}

/* In pieces, and a multiple of the pixels. */
enum { piece = 3 << 13 };

static int apply(
    int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out, work_watch *watch) {
    for (size_t start = 0; start < count; start += piece) {
        size_t end = count - start < piece ? count : start + piece;
        if (!work_goes_on(watch, end - start)) return 0;
        switch (filter) {
            case 1: sub(row, start, end, out); break;
            case 2: up(row, above, start, end, out); break;
            default: paeth(row, above, start, end, out); break;
        }
    }
    return 1;
}

int png_filter_best(
    const uint8_t *row, const uint8_t *above, size_t count, uint8_t *trial, work_watch *watch) {
    static const int filters[3] = {1, 2, 4};
    int best = 1;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        if (!apply(filters[i], row, above, count, trial, watch)) return 1;
        uint64_t sum = 0;
        for (size_t start = 0; start < count && work_goes_on(watch, piece); start += piece)
            sum += cost(trial + start, count - start < piece ? count - start : piece);
        if (sum >= least) continue;
        least = sum;
        best = filters[i];
    }
    return best;
}

void png_filter_row(
    int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *filtered, work_watch *watch) {
    filtered[0] = (uint8_t)filter;
    (void)apply(filter, row, above, count, filtered + 1, watch);
}
