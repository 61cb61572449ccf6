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

void png_filter_row(const uint8_t *row, const uint8_t *above, size_t count, uint8_t *filtered, uint8_t *trial) {
    filtered[0] = 1;
    sub(row, count, filtered + 1);
    if (!above) return;
    uint64_t best = cost(filtered + 1, count);
    for (uint8_t filter = 2; filter <= 4; filter += 2) {
        (filter == 2 ? up : paeth)(row, above, count, trial);
        uint64_t other = cost(trial, count);
        if (other >= best) continue;
        best = other;
        filtered[0] = filter;
        memcpy(filtered + 1, trial, count);
    }
}
