#include <png.h>
#include <setjmp.h>

#include "png_rows.h"
#include "png_stream.h"
#include "report.h"

/* All that one reading holds; see jpeg_decode.c for why it lives outside the frame that calls setjmp. */
typedef struct reading {
    png_structp png;
    png_infop info;
    image_codecs_report *report;
    work_watch *watch;
    const uint8_t *bytes;
    size_t count, offset;
    int ended_early;
    png_layout layout;
    png_chunks chunks;
    size_t row_bytes;
    png_bytep raw; /* one row, or all of them when interlaced */
    int passes;
    int is_wide;   /* libpng has read its header only */
} reading;

static void leave(reading *state, image_codecs_status status, const char *words) {
    state->report->salvageable = png_chunks_find(state->bytes, state->count, &state->chunks);
    report_fail(state->report, status, state->offset, words);
    png_longjmp(state->png, 1);
}

static void look(reading *state) {
    if (work_watch_goes_on(state->watch, work_watch_operations / 4)) return;
    report_unwanted(state->report);
    png_longjmp(state->png, 1);
}

static void on_error(png_structp png, png_const_charp words) {
    reading *state = (reading *)png_get_error_ptr(png);
    int is_pixels = png_chunks_find(state->bytes, state->count, &state->chunks);
    leave(
        state,
        state->ended_early ? IMAGE_CODECS_TRUNCATED
        : is_pixels        ? IMAGE_CODECS_DAMAGED
                           : IMAGE_CODECS_MALFORMED,
        words);
}

static void on_warning(png_structp png, png_const_charp words) {
    (void)png;
    (void)words;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    reading *state = (reading *)png_get_io_ptr(png);
    look(state);
    if (count > state->count - state->offset) {
        state->ended_early = 1;
        state->offset = state->count;
        png_error(png, "the file ends here");
    }
    memcpy(target, state->bytes + state->offset, count);
    state->offset += count;
}

/* Everything but pixels and palette is passed over: Pillow's convert("RGB") ignores gamma, ICC profiles and tRNS (which
   png_chunks.h finds where it counts), and text chunks are where decompression bombs hide. Checksums are checked all the
   same. */
static void pass_over_metadata(png_structp png) {
    static const png_byte names[] =
        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0tRNS\0zTXt";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, (int)(sizeof names / 5));
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
}

/* libpng's own limit of a million pixels a side would refuse tall strips; the area is capped by the caller, from the
   header, before the result is allocated. The other caps are far above any honest file. */
static void set_limits(png_structp png) {
    png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_chunk_cache_max(png, 100);
    png_set_chunk_malloc_max(png, 8 << 20);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_check_for_invalid_index(png, 0);
}

static void read_header(reading *state) {
    png_uint_32 width = 0, height = 0;
    png_layout *layout = &state->layout;
    png_read_info(state->png, state->info);
    (void)png_get_IHDR(
        state->png, state->info, &width, &height, &layout->depth, &layout->color, NULL, NULL, NULL);
    png_colorp palette = NULL;
    (void)png_get_PLTE(state->png, state->info, &palette, &layout->palette_count);
    layout->palette = palette;
    layout->width = width;
    layout->height = height;
    state->report->width = width;
    state->report->height = height;
}

static void hold_rows(reading *state) {
    if (state->layout.depth < 8) png_set_packing(state->png);
    state->passes = png_set_interlace_handling(state->png);
    png_read_update_info(state->png, state->info);
    state->row_bytes = png_get_rowbytes(state->png, state->info);
    size_t held = state->passes > 1 ? state->layout.height : 1;
    state->raw = calloc(held, state->row_bytes);
    if (!state->raw) leave(state, IMAGE_CODECS_OUT_OF_MEMORY, "no memory for its rows");
}

/* An interlaced picture is built in seven passes over all of it, so its raw samples are held. */
static void read_rows(reading *state, uint8_t *rgb) {
    size_t height = state->layout.height, stride = state->layout.width * 3;
    if (state->passes > 1) {
        for (int pass = 0; pass < state->passes; pass++)
            for (size_t y = 0; y < height; y++) {
                look(state);
                png_read_row(state->png, state->raw + y * state->row_bytes, NULL);
            }
    } else {
        for (size_t y = 0; y < height; y++) {
            look(state);
            png_read_row(state->png, state->raw, NULL);
            if (!png_wide_row_to_rgb(&state->layout, state->raw, rgb + y * stride, state->watch)) look(state);
        }
    }
    png_read_end(state->png, NULL);
}

/* Some milliseconds of work in libpng. */
enum { widest_row = 4 << 20 };

static size_t stored_row_bytes(size_t width, int depth, int color) {
    return width * png_channels(color) * (depth == 16 ? 2 : 1);
}

static int is_wide(size_t width, int depth, int color) { return stored_row_bytes(width, depth, color) > widest_row; }

static void read_all(reading *state, uint8_t *rgb, size_t capacity) {
    set_limits(state->png);
    pass_over_metadata(state->png);
    png_set_read_fn(state->png, state, read_bytes);
    read_header(state);
    if (state->layout.width * state->layout.height * 3 != capacity)
        leave(state, IMAGE_CODECS_MALFORMED, "the header changed its dimensions");
    int has_pixels = png_chunks_find(state->bytes, state->count, &state->chunks);
    if (has_pixels) png_take_transparency(&state->layout, state->chunks.transparency);
    state->is_wide = has_pixels && is_wide(state->layout.width, state->layout.depth, state->layout.color);
    if (state->is_wide) return;
    hold_rows(state);
    read_rows(state, rgb);
}

static void fail_wide(
    image_codecs_report *report, image_codecs_status status, size_t byte, const char *words) {
    report->salvageable = 1;
    report_fail(report, status, byte, words);
}

/* Rows that are too wide for libpng to check the watch in time. Their chunks are checked first, so that damage is reported as
   libpng would. */
static void read_wide(reading *state, uint8_t *rgb) {
    image_codecs_report *report = state->report;
    size_t at = state->chunks.pixels;
    switch (png_chunks_check(state->bytes, state->count, &at, state->watch)) {
        case PNG_CHUNKS_ARE_UNWANTED: return report_unwanted(report);
        case PNG_CHUNKS_ARE_DAMAGED: return fail_wide(report, IMAGE_CODECS_DAMAGED, at, "a chunk is damaged");
        case PNG_CHUNKS_END_EARLY:
            return fail_wide(report, IMAGE_CODECS_TRUNCATED, state->count, "the file ends here");
        case PNG_CHUNKS_ARE_WHOLE: break;
    }
    png_stream_outcome outcome =
        png_stream_decode(&state->chunks, state->bytes, state->count, &state->layout, rgb, state->watch);
    if (state->watch->is_over) return report_unwanted(report);
    if (outcome == PNG_STREAM_HAS_NO_MEMORY)
        report_fail(report, IMAGE_CODECS_OUT_OF_MEMORY, 0, "no memory for its rows");
    else if (outcome == PNG_STREAM_HAS_PART)
        fail_wide(report, IMAGE_CODECS_DAMAGED, at, "the pixels' data don't make a whole picture");
}

static void deinterlace(const reading *state, uint8_t *rgb) {
    const png_layout *layout = &state->layout;
    for (size_t y = 0; y < layout->height; y++) {
        const uint8_t *raw = state->raw + y * state->row_bytes;
        if (png_wide_row_to_rgb(layout, raw, rgb + y * layout->width * 3, state->watch)) continue;
        report_unwanted(state->report);
        return;
    }
}

/* What is left of the picture, for a caller that allows this and whose buffer has the size that the header declares. */
static void salvage(reading *state, uint8_t *rgb, size_t capacity) {
    image_codecs_report *report = state->report;
    const uint8_t *header = state->chunks.header.start;
    if (report->status == IMAGE_CODECS_OUT_OF_MEMORY || report->status == IMAGE_CODECS_UNWANTED) return;
    if (!report->salvageable) return;
    if ((size_t)png_word(header) * png_word(header + 4) * 3 != capacity) return;
    png_stream_outcome outcome =
        png_stream_decode(&state->chunks, state->bytes, state->count, &state->layout, rgb, state->watch);
    if (outcome == PNG_STREAM_HAS_NO_MEMORY)
        report_fail(report, IMAGE_CODECS_OUT_OF_MEMORY, 0, "no memory for its rows");
    else if (state->watch->is_over)
        report_unwanted(report);
    else
        report_begin(report);
}

void image_codecs_png_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, const image_codecs_colors *colors,
    uint8_t *rgb, size_t capacity, work_watch *watch, image_codecs_report *report) {
    reading state;
    memset(&state, 0, sizeof state);
    report_begin(report);
    state.report = report;
    state.watch = watch;
    state.bytes = bytes;
    state.count = count;
    state.layout.colors = *colors;
    state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    if (state.png) state.info = png_create_info_struct(state.png);
    if (!state.info) {
        report_fail(report, IMAGE_CODECS_OUT_OF_MEMORY, 0, "no memory for the decoder");
    } else if (setjmp(png_jmpbuf(state.png)) == 0) {
        read_all(&state, rgb, capacity);
    }
    if (report->status == IMAGE_CODECS_OK && state.passes > 1) deinterlace(&state, rgb);
    free(state.raw);
    png_destroy_read_struct(&state.png, &state.info, NULL);
    if (report->status == IMAGE_CODECS_OK && state.is_wide) read_wide(&state, rgb);
    if (report->status != IMAGE_CODECS_OK && limits->allow_truncated) salvage(&state, rgb, capacity);
}

/* libpng holds the row that is read, as it is stored, and the one before it, and zlib's state and window. */
size_t image_codecs_png_decoder_bytes(
    uint32_t width, uint32_t height, int depth, int color, int is_interlaced, int allow_truncated) {
    size_t row = stored_row_bytes(width, depth, color), raw = row;
    if (is_interlaced && __builtin_mul_overflow((size_t)height, row, &raw)) raw = SIZE_MAX / 4;
    size_t streamed = png_stream_bytes(width, depth, color, is_interlaced);
    size_t decoded = row > widest_row ? streamed : raw + 2 * row + (64 << 10);
    return allow_truncated && streamed > decoded ? streamed : decoded;
}

int image_codecs_png_pixel_bits(int depth, int color) { return (int)png_channels(color) * (depth == 16 ? 16 : depth & 15); }
