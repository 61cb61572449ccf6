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

static void sub(const uint8_t *x, size_t from, size_t count, uint8_t *out) {
    for (size_t i = from; i < count; i++) out[i] = (uint8_t)(x[i] - (x - pixel)[i]);
}

static void up(const uint8_t *x, const uint8_t *above, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = (uint8_t)(x[i] - above[i]);
}

static void average(const uint8_t *x, const uint8_t *above, size_t from, size_t count, uint8_t *out) {
    for (size_t i = from; i < count; i++) out[i] = (uint8_t)(x[i] - (((x - pixel)[i] + above[i]) >> 1));
}

static int16_t distance(int16_t a, int16_t b) { return (int16_t)(a > b ? a - b : b - a); }

static void paeth(const uint8_t *x, const uint8_t *above, size_t from, size_t count, uint8_t *out) {
    for (size_t i = from; i < count; i++) {
        int16_t left = (x - pixel)[i], up = above[i], corner = (above - pixel)[i];
        int16_t to_left = distance(up, corner), to_up = distance(left, corner);
        int16_t to_corner = distance((int16_t)(left + up), (int16_t)(2 * corner));
        int16_t rest = to_up <= to_corner ? up : corner;
        int16_t nearest = to_left <= to_up && to_left <= to_corner ? left : rest;
        out[i] = (uint8_t)(x[i] - nearest);
    }
}

/* The first pixel of a row, to whose left are zeros: Paeth's prediction is then the pixel above. */
static void first_pixel(png_filter filter, const uint8_t *x, const uint8_t *above, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count && i < pixel; i++) {
        int predicted[png_filters] = {0, 0, above[i], above[i] >> 1, above[i]};
        out[i] = (uint8_t)(x[i] - predicted[filter]);
    }
}

void png_filter_write(
    png_filter filter, const uint8_t *row, const uint8_t *above, size_t start, size_t end, uint8_t *out) {
    static const uint8_t zeros[pixel + png_filter_piece];
    const uint8_t *x = row + start, *over = above ? above + start : zeros + pixel;
    size_t count = end - start, from = start == 0 ? pixel : 0;
    if (start == 0) first_pixel(filter, x, over, count, out);
    switch (filter) {
        case PNG_FILTER_IS_NONE: memcpy(out, x, count); break;
        case PNG_FILTER_IS_SUB: sub(x, from, count, out); break;
        case PNG_FILTER_IS_UP: up(x, over, count, out); break;
        case PNG_FILTER_IS_AVERAGE: average(x, over, from, count, out); break;
        case PNG_FILTER_IS_PAETH: paeth(x, over, from, count, out); break;
    }
}

/* UINT64_MAX where it is no less than `most`. */
static uint64_t cost_of_row(
    png_filter filter, const uint8_t *row, const uint8_t *above, size_t count, uint64_t most, uint8_t *trial,
    work_watch *watch) {
    uint64_t sum = 0;
    for (size_t start = 0; start < count; start += png_filter_piece) {
        size_t end = count - start < png_filter_piece ? count : start + png_filter_piece;
        if (!work_watch_goes_on(watch, 2 * (end - start))) return UINT64_MAX;
        png_filter_write(filter, row, above, start, end, trial);
        sum += cost(trial, end - start);
        if (sum >= most) return UINT64_MAX;
    }
    return sum;
}

png_filter png_filter_best(
    const uint8_t *row, const uint8_t *above, size_t count, unsigned filters, uint8_t *trial, work_watch *watch) {
    png_filter best = PNG_FILTER_IS_NONE;
    uint64_t least = UINT64_MAX;
    for (png_filter filter = PNG_FILTER_IS_NONE; filter <= PNG_FILTER_IS_PAETH; filter++) {
        if (!(filters & 1u << filter)) continue;
        if ((filters & ~(1u << filter)) == 0) return filter;
        uint64_t sum = cost_of_row(filter, row, above, count, least, trial, watch);
        if (sum >= least) continue;
        least = sum;
        best = filter;
    }
    return best;
}
