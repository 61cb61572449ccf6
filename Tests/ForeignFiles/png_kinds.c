#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "foreign_files.h"

typedef struct writing {
    png_structp png;
    png_infop info;
    png_bytep *rows;
    uint8_t *samples, *file;
    size_t count, capacity;
} writing;

static void put(png_structp png, png_bytep bytes, size_t count) {
    writing *state = (writing *)png_get_io_ptr(png);
    if (count > state->capacity - state->count) png_error(png, "no room");
    memcpy(state->file + state->count, bytes, count);
    state->count += count;
}

static void flush(png_structp png) { (void)png; }

static void leave(png_structp png, png_const_charp words) {
    (void)words;
    png_longjmp(png, 1);
}

/* All samples as the file has them. */
static int lay_out(writing *state, const uint8_t *rgb, size_t width, size_t height, int has_alpha, int depth) {
    size_t bytes = depth == 16 ? 2 : 1, channels = has_alpha ? 4 : 3, stride = width * channels * bytes;
    state->samples = malloc(stride * height);
    state->rows = malloc(height * sizeof *state->rows);
    if (!state->samples || !state->rows) return 0;
    for (size_t y = 0; y < height; y++) state->rows[y] = state->samples + y * stride;
    for (size_t i = 0; i < width * height; i++)
        for (size_t c = 0; c < channels; c++)
            memset(state->samples + (i * channels + c) * bytes, c < 3 ? rgb[3 * i + c] : 255, bytes);
    return 1;
}

size_t foreign_png(
    const uint8_t *rgb, uint32_t width, uint32_t height, int has_alpha, int depth, int is_interlaced, uint8_t *file,
    size_t capacity) {
    writing state;
    memset(&state, 0, sizeof state);
    state.file = file;
    state.capacity = capacity;
    state.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, leave, NULL);
    if (state.png) state.info = png_create_info_struct(state.png);
    if (state.info && lay_out(&state, rgb, width, height, has_alpha, depth) && setjmp(png_jmpbuf(state.png)) == 0) {
        png_set_user_limits(state.png, 0x7FFFFFFF, 0x7FFFFFFF);
        png_set_write_fn(state.png, &state, put, flush);
        png_set_compression_level(state.png, 1);
        png_set_IHDR(
            state.png, state.info, width, height, depth, has_alpha ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB,
            is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
            PNG_FILTER_TYPE_DEFAULT);
        png_write_info(state.png, state.info);
        png_write_image(state.png, state.rows);
        png_write_end(state.png, NULL);
    } else {
        state.count = 0;
    }
    png_destroy_write_struct(&state.png, &state.info);
    free(state.samples);
    free(state.rows);
    return state.count;
}
