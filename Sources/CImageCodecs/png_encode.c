#include <png.h>
#include <setjmp.h>

#include "png_encode_fast.h"
#include "report.h"

typedef struct writing {
    png_structp png;
    png_infop info;
    perception_codec_report *report;
    perception_codec_file *file;
    work_watch *watch;
} writing;

static void on_error(png_structp png, png_const_charp words) {
    writing *state = (writing *)png_get_error_ptr(png);
    if (state->report->status == PERCEPTION_CODEC_OK)
        report_fail(state->report, PERCEPTION_CODEC_UNSUPPORTED, 0, words);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp words) {
    (void)png;
    (void)words;
}

static void look(writing *state) {
    if (work_goes_on(state->watch, work_watch_operations)) return;
    report_unwanted(state->report);
    png_longjmp(state->png, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    writing *state = (writing *)png_get_io_ptr(png);
    look(state);
    if (file_append(state->file, bytes, count)) return;
    report_fail(state->report, PERCEPTION_CODEC_OUT_OF_MEMORY, 0, "no memory for the file");
    png_error(png, "no memory for the file");
}

static void flush_nothing(png_structp png) { (void)png; }

/* Level 2 is asked for when time matters: one cheap filter instead of trying all five on each row. */
static int filters_for(int level) {
    if (level == 0) return PNG_FILTER_NONE;
    return level == 2 ? PNG_FILTER_SUB : PNG_ALL_FILTERS;
}

static void write_all(writing *state, const uint8_t *rgb, uint32_t width, uint32_t height, int level) {
    png_set_user_limits(state->png, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_write_fn(state->png, state, write_bytes, flush_nothing);
    png_set_IHDR(
        state->png, state->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(state->png, level);
    png_set_compression_buffer_size(state->png, 65536);
    png_set_filter(state->png, PNG_FILTER_TYPE_BASE, filters_for(level));
    png_write_info(state->png, state->info);
    for (uint32_t y = 0; y < height; y++) {
        look(state);
        png_write_row(state->png, rgb + (size_t)y * width * 3);
    }
    png_write_end(state->png, NULL);
}

size_t perception_png_bound(uint32_t width, uint32_t height, int level) {
    size_t filtered = ((size_t)width * 3 + 1) * height;
    return level == 1 ? png_encode_fast_bound(width, height) : filtered + filtered / 512 + (8 << 10);
}

/* libpng holds a row as it is, and where it chooses among filters the one before and two filtered; zlib 256 KiB, and the buffer
   of a chunk. */
size_t perception_png_encoder_bytes(uint32_t width, uint32_t height, int level) {
    size_t stride = (size_t)width * 3 + 1;
    if (level == 1) return png_encode_fast_bytes(width, height);
    size_t rows = level == 0 ? 1 : level == 2 || height == 1 ? 2 : 4;
    return rows * (stride + 64) + (352 << 10);
}

void perception_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int level, perception_codec_file *file,
    work_watch *watch, perception_codec_report *report) {
    writing state;
    memset(&state, 0, sizeof state);
    report_begin(report);
    if (level == 1) {
        int is_done = png_encode_fast(rgb, width, height, file, watch);
        if (watch->is_over)
            report_unwanted(report);
        else if (!is_done)
            report_fail(report, PERCEPTION_CODEC_OUT_OF_MEMORY, 0, "no memory for the file");
        return;
    }
    state.report = report;
    state.file = file;
    state.watch = watch;
    state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    if (state.png) state.info = png_create_info_struct(state.png);
    if (!state.info) {
        report_fail(report, PERCEPTION_CODEC_OUT_OF_MEMORY, 0, "no memory for the encoder");
    } else if (setjmp(png_jmpbuf(state.png)) == 0) {
        write_all(&state, rgb, width, height, level);
    }
    png_destroy_write_struct(&state.png, &state.info);
}
