#include "png_deflate.h"
#include "png_encode_fast.h"
#include "png_filter.h"
#include "report.h"

/* However wide the picture is. */
typedef struct writing {
    png_deflate deflate;
    unsigned filters;
    work_watch *watch;
    uint8_t trial[png_filter_piece];
    /* Filtered and not yet compressed: narrow rows are compressed many at once. */
    size_t filled;
    uint8_t rows[2 * png_filter_piece];
} writing;

/* libpng's choice. Level 2 is asked for when time matters: one cheap filter instead of trying all five on each row. What reads a
   neighbour is left out where there is none. */
static unsigned filters_for(uint32_t width, uint32_t height, int level) {
    enum {
        none = 1 << PNG_FILTER_IS_NONE, sub = 1 << PNG_FILTER_IS_SUB, up = 1 << PNG_FILTER_IS_UP,
        both = 1 << PNG_FILTER_IS_AVERAGE | 1 << PNG_FILTER_IS_PAETH
    };
    unsigned filters = level == 0 ? none : level == 2 ? sub : none | sub | up | both;
    if (height == 1) filters &= ~(unsigned)(up | both);
    if (width == 1) filters &= ~(unsigned)(sub | both);
    return filters ? filters : none;
}

static png_deflate_outcome compress_rows(writing *state) {
    size_t count = state->filled;
    state->filled = 0;
    return png_deflate_write(&state->deflate, state->rows, count);
}

static png_deflate_outcome put_row(writing *state, const uint8_t *row, const uint8_t *above, size_t count) {
    png_filter filter = png_filter_best(row, above, count, state->filters, state->trial, state->watch);
    state->rows[state->filled++] = (uint8_t)filter;
    for (size_t start = 0; start < count; start += png_filter_piece) {
        size_t end = count - start < png_filter_piece ? count : start + png_filter_piece;
        png_filter_write(filter, row, above, start, end, state->rows + state->filled);
        state->filled += end - start;
        if (state->filled < png_filter_piece) continue;
        png_deflate_outcome outcome = compress_rows(state);
        if (outcome != PNG_DEFLATE_GOES_ON) return outcome;
    }
    return PNG_DEFLATE_GOES_ON;
}

static png_deflate_outcome put_rows(writing *state, const uint8_t *rgb, size_t stride, size_t height) {
    for (size_t y = 0; y < height; y++) {
        const uint8_t *row = rgb + y * stride;
        png_deflate_outcome outcome = put_row(state, row, y > 0 ? row - stride : NULL, stride);
        if (outcome != PNG_DEFLATE_GOES_ON) return outcome;
    }
    png_deflate_outcome outcome = compress_rows(state);
    return outcome == PNG_DEFLATE_GOES_ON ? png_deflate_finish(&state->deflate) : outcome;
}

static size_t filtered_bytes(uint32_t width, uint32_t height) { return ((size_t)width * 3 + 1) * height; }

static png_deflate_outcome put_file(
    writing *state, const uint8_t *rgb, uint32_t width, uint32_t height, int level, image_codecs_file *file) {
    size_t stride = (size_t)width * 3;
    state->filters = filters_for(width, height, level);
    if (!png_file_begin(file, width, height)) return PNG_DEFLATE_HAS_NO_ROOM;
    int is_filtered = state->filters != 1 << PNG_FILTER_IS_NONE;
    png_deflate_outcome outcome = PNG_DEFLATE_HAS_NO_ROOM;
    if (png_deflate_begin(&state->deflate, file, filtered_bytes(width, height), level, is_filtered, state->watch))
        outcome = put_rows(state, rgb, stride, height);
    png_deflate_end(&state->deflate);
    if (outcome == PNG_DEFLATE_GOES_ON && !png_file_end(file)) outcome = PNG_DEFLATE_HAS_NO_ROOM;
    return outcome;
}

size_t image_codecs_png_bound(uint32_t width, uint32_t height, int level) {
    size_t filtered = filtered_bytes(width, height);
    return level == 1 ? png_encode_fast_bound(width, height) : filtered + filtered / 512 + (8 << 10);
}

size_t image_codecs_png_encoder_bytes(uint32_t width, uint32_t height, int level) {
    if (level == 1) return png_encode_fast_bytes(width, height);
    return sizeof(writing) + png_deflate_bytes(filtered_bytes(width, height));
}

void image_codecs_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int level, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report) {
    report_begin(report);
    png_deflate_outcome outcome = PNG_DEFLATE_HAS_NO_ROOM;
    if (level == 1) {
        if (png_encode_fast(rgb, width, height, file, watch)) outcome = PNG_DEFLATE_GOES_ON;
    } else {
        writing *state = malloc(sizeof *state);
        if (state) {
            state->watch = watch;
            state->filled = 0;
            outcome = put_file(state, rgb, width, height, level, file);
        }
        free(state);
    }
    if (watch->is_over)
        report_unwanted(report);
    else if (outcome != PNG_DEFLATE_GOES_ON)
        report_fail(report, IMAGE_CODECS_OUT_OF_MEMORY, 0, "no memory for the file");
}
