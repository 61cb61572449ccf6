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

static void sub(const uint8_t *row, size_t count, uint8_t *out) {
    memcpy(out, row, pixel);
    for (size_t i = pixel; i < count; i++) out[i] = (uint8_t)(row[i] - row[i - pixel]);
}

static void up(const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = (uint8_t)(row[i] - above[i]);
}

static int16_t distance(int16_t a, int16_t b) { return (int16_t)(a > b ? a - b : b - a); }

static void paeth(const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out) {
    for (size_t i = 0; i < pixel; i++) out[i] = (uint8_t)(row[i] - above[i]);
    for (size_t i = pixel; i < count; i++) {
        int16_t left = row[i - pixel], up = above[i], corner = above[i - pixel];
        int16_t to_left = distance(up, corner), to_up = distance(left, corner);
        int16_t to_corner = distance((int16_t)(left + up), (int16_t)(2 * corner));
        int16_t rest = to_up <= to_corner ? up : corner;
        int16_t nearest = to_left <= to_up && to_left <= to_corner ? left : rest;
        out[i] = (uint8_t)(row[i] - nearest);
    }
}

static void apply(int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out) {
    switch (filter) {
        case 1: return sub(row, count, out);
        case 2: return up(row, above, count, out);
        default: return paeth(row, above, count, out);
    }
}

int png_filter_best(const uint8_t *row, const uint8_t *above, size_t count, uint8_t *trial) {
    static const int filters[3] = {1, 2, 4};
    int best = 1;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        apply(filters[i], row, above, count, trial);
        uint64_t sum = cost(trial, count);
        if (sum >= least) continue;
        least = sum;
        best = filters[i];
    }
    return best;
}

void png_filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *filtered) {
    filtered[0] = (uint8_t)filter;
    apply(filter, row, above, count, filtered + 1);
}
