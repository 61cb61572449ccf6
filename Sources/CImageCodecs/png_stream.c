#include "png_stream.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "png_unfilter.h"

/* The stream of all IDAT chunks, and the row that comes out of it. */
typedef struct stream {
    const uint8_t *bytes;
    size_t count;
    size_t next; /* where the chunk after the present one begins */
    z_stream zlib;
    int is_over;
    work_watch *watch;
    uint8_t *row, *previous; /* the filter's name, then the row's bytes */
    uint8_t *raw;            /* a row's samples, where several share a byte */
    uint8_t *line;           /* a row in RGB, where it is spread over the picture */
} stream;

/* Moves to the data of the next IDAT chunk, as far as the file reaches. Returns 0 if there is none. */
static int open_chunk(stream *it) {
    if (it->count < 8 || it->next > it->count - 8 || memcmp(it->bytes + it->next + 4, "IDAT", 4) != 0) return 0;
    size_t length = png_word(it->bytes + it->next), left = it->count - it->next - 8;
    it->zlib.next_in = (Bytef *)(it->bytes + it->next + 8);
    it->zlib.avail_in = (uInt)(length < left ? length : left);
    it->next += 12 + length;
    return 1;
}

/* Returns 0 if the stream holds fewer bytes. */
static int read_bytes(stream *it, uint8_t *target, size_t count) {
    it->zlib.next_out = target;
    while (count > 0 && !it->is_over) {
        uInt most = count < 1u << 16 ? (uInt)count : 1u << 16;
        if (!work_watch_goes_on(it->watch, most)) return 0;
        it->zlib.avail_out = most;
        if (it->zlib.avail_in == 0 && !open_chunk(it)) break;
        int state = inflate(&it->zlib, Z_NO_FLUSH);
        count -= most - it->zlib.avail_out;
        it->is_over = state != Z_OK && state != Z_BUF_ERROR;
    }
    return count == 0;
}

enum { piece = 1 << 13 };

/* One byte for each sample. Returns 0 once the result is no longer wanted. */
static int unpack(const uint8_t *packed, size_t samples, int depth, uint8_t *raw, work_watch *watch) {
    for (size_t i = 0; i < samples; i++) {
        if (i % piece == 0 && !work_watch_goes_on(watch, 2 * piece)) return 0;
        size_t bit = i * (size_t)depth;
        raw[i] = (uint8_t)(packed[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1));
    }
    return 1;
}

/* Fills every pixel with the color of zero samples. */
static void fill(const png_layout *layout, uint8_t *rgb, work_watch *watch) {
    static const uint8_t zeros[8] = {0};
    png_layout one = *layout;
    one.width = 1;
    png_row_to_rgb(&one, zeros, rgb);
    for (size_t i = 1; i < layout->width * layout->height && work_watch_goes_on(watch, 4); i++) memcpy(rgb + 3 * i, rgb, 3);
}

/* The position of a pass's pixels in the picture: (x + column · across, y + row · down). */
typedef struct pass {
    size_t x, y, across, down;
} pass;

/* Returns 0 once the result is no longer wanted. */
static int clear(uint8_t *row, size_t count, work_watch *watch) {
    for (size_t done = 0; done < count; done += piece) {
        if (!work_watch_goes_on(watch, piece)) return 0;
        memset(row + done, 0, count - done < piece ? count - done : piece);
    }
    return 1;
}

static int spread(const uint8_t *line, size_t count, size_t across, uint8_t *rgb, work_watch *watch) {
    for (size_t x = 0; x < count; x++) {
        if (x % piece == 0 && !work_watch_goes_on(watch, 2 * piece)) return 0;
        memcpy(rgb + x * across * 3, line + 3 * x, 3);
    }
    return 1;
}

/* Returns 0 at the end of the stream. */
static int read_pass(stream *it, const png_layout *layout, pass at, uint8_t *rgb) {
    png_layout part = *layout;
    if (at.x >= layout->width || at.y >= layout->height) return 1;
    part.width = (layout->width - at.x + at.across - 1) / at.across;
    size_t bits = png_channels(layout->color) * (size_t)layout->depth, bytes = (part.width * bits + 7) / 8;
    if (!clear(it->previous, bytes + 1, it->watch)) return 0;
    for (size_t y = at.y; y < layout->height; y += at.down) {
        uint8_t *target = rgb + ((y * layout->width) + at.x) * 3, *line = at.across > 1 ? it->line : target;
        if (!read_bytes(it, it->row, bytes + 1)) return 0;
        if (!png_unfilter(it->row[0], it->row + 1, it->previous + 1, bytes, bits < 8 ? 1 : bits / 8, it->watch)) return 0;
        if (layout->depth < 8 && !unpack(it->row + 1, part.width, layout->depth, it->raw, it->watch)) return 0;
        if (!png_wide_row_to_rgb(&part, layout->depth < 8 ? it->raw : it->row + 1, line, it->watch)) return 0;
        if (at.across > 1 && !spread(line, part.width, at.across, target, it->watch)) return 0;
        uint8_t *done = it->row;
        it->row = it->previous;
        it->previous = done;
    }
    return 1;
}

static int read_passes(stream *it, const png_layout *layout, int is_interlaced, uint8_t *rgb) {
    static const pass whole[1] = {{0, 0, 1, 1}};
    static const pass adam7[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                  {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    const pass *passes = is_interlaced ? adam7 : whole;
    for (size_t i = 0; i < (is_interlaced ? 7 : 1); i++)
        if (!read_pass(it, layout, passes[i], rgb)) return 0;
    return 1;
}

/* The buffers of a whole row: filtered, unpacked, in RGB. */
static size_t row_bytes(size_t width, int depth, int color) {
    return (width * png_channels(color) * (size_t)depth + 7) / 8 + 1;
}
static size_t raw_bytes(size_t width, int depth) { return depth < 8 ? width : 0; }
static size_t line_bytes(size_t width, int is_interlaced) { return is_interlaced ? width * 3 : 0; }

size_t png_stream_bytes(uint32_t width, int depth, int color, int is_interlaced) {
    /* And zlib's state with its window. */
    return 2 * row_bytes(width, depth, color) + raw_bytes(width, depth) + line_bytes(width, is_interlaced) + (44 << 10);
}

png_stream_outcome png_stream_decode(
    const png_chunks *chunks, const uint8_t *bytes, size_t count, png_layout *layout, uint8_t *rgb, work_watch *watch) {
    const uint8_t *header = chunks->header.start;
    layout->width = png_word(header);
    layout->height = png_word(header + 4);
    layout->depth = header[8];
    layout->color = header[9];
    layout->palette = (png_const_colorp)chunks->palette.start;
    layout->palette_count = (int)(chunks->palette.count / 3 < 256 ? chunks->palette.count / 3 : 256);
    png_take_transparency(layout, chunks->transparency);
    fill(layout, rgb, watch);

    size_t row = row_bytes(layout->width, layout->depth, layout->color), raw = raw_bytes(layout->width, layout->depth);
    stream it = {.bytes = bytes, .count = count, .next = chunks->pixels, .watch = watch};
    uint8_t *room = malloc(2 * row + raw + line_bytes(layout->width, header[12]));
    png_stream_outcome outcome = PNG_STREAM_HAS_NO_MEMORY;
    if (room && inflateInit(&it.zlib) == Z_OK) {
        it.row = room;
        it.previous = room + row;
        it.raw = room + 2 * row;
        it.line = it.raw + raw;
        outcome = read_passes(&it, layout, header[12], rgb) ? PNG_STREAM_IS_WHOLE : PNG_STREAM_HAS_PART;
        inflateEnd(&it.zlib);
    }
    free(room);
    return outcome;
}
